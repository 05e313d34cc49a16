package stytch

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
)

// M2MSearch says which M2M clients to search for. The zero value means all of them.
type M2MSearch struct {
	Filter M2MFilter

	Cursor string // where to begin: "" at the first page, or a cursor of an earlier search
	Limit  int    // clients a page, 1 to 1,000; 0 leaves it to Stytch, which takes 100

	// Prefetch asks for the next page while the clients of this one are being used. At most one page is read ahead; a
	// loop that ends early cancels the request.
	Prefetch bool

	// OnPage is called before the first client of every page, empty ones too. Its Cursor, stored, resumes the search at
	// this page, and its Next at the following one.
	OnPage func(PageInfo)
}

// ConnectedAppSearch says where to begin a search of Connected Apps, and how. Stytch has no filters for them. The fields
// mean what they mean in [M2MSearch].
type ConnectedAppSearch struct {
	Cursor   string
	Limit    int
	Prefetch bool
	OnPage   func(PageInfo)
}

// PageInfo is what a search knows about a page.
type PageInfo struct {
	Cursor string // asks for this page; "" for the first one
	Next   string // asks for the next page; "" on the last one
	Total  int    // how many clients match over all pages; -1 if the workspace does not count
}

// Page is one page of a search.
type Page[T any] struct {
	Items []T
	Next  string // cursor of the next page; "" on the last one
	Total int    // how many clients match over all pages; -1 if the workspace does not count
}

func newPage[T any](items []T, meta gen.ResultsMetadata) Page[T] {
	return Page[T]{Items: items, Next: text(meta.NextCursor), Total: int(meta.Total)}
}

// search is the paging of both families.
type search[T any] struct {
	op       *operation.Operation
	cursor   string
	limit    int
	prefetch bool
	onPage   func(PageInfo)
	check    func() error
	fetch    func(ctx context.Context, cursor string) (*answer, error)
	decode   func(*answer) (Page[T], error)
}

func (s search[T]) valid() error {
	if s.limit < 0 || s.limit > 1000 {
		return invalid(s.op.ID, "Limit must be between 1 and 1000, or 0 for the default")
	}
	if s.check != nil {
		return s.check()
	}
	return nil
}

func (s search[T]) page(ctx context.Context) (*Page[T], error) {
	if err := s.valid(); err != nil {
		return nil, err
	}
	a, err := s.fetch(ctx, s.cursor)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	page, err := s.decode(a)
	if err != nil {
		return nil, err
	}
	return &page, nil
}

func (s search[T]) all(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if err := s.valid(); err != nil {
			yield(none, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		cursor, seen := s.cursor, map[string]bool{s.cursor: true}
		ahead := s.begin(ctx, cursor)
		defer func() { cancel(); ahead.abandon() }()
		for {
			a, err := ahead.wait(ctx)
			if err != nil {
				yield(none, err)
				return
			}
			// The cursor is found before the page is decoded, so that the next request is under way meanwhile.
			next := nextCursor(a.Bytes())
			var repeated error
			if next != "" && seen[next] {
				repeated = a.invalid(errors.New("the page repeats a cursor"))
			}
			if s.prefetch && next != "" && repeated == nil {
				ahead = s.begin(ctx, next)
			}
			page, err := s.decode(a)
			if err == nil && page.Next != next {
				err = a.invalid(errors.New("the page names its next cursor twice"))
			}
			a.Close()
			if err != nil {
				yield(none, err)
				return
			}
			if s.onPage != nil {
				s.onPage(PageInfo{Cursor: cursor, Next: next, Total: page.Total})
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			switch {
			case next == "":
				return
			case repeated != nil:
				yield(none, repeated)
				return
			case !s.prefetch:
				ahead = s.begin(ctx, next)
			}
			cursor, seen[next] = next, true
		}
	}
}

// pending is one page that was asked for: in the background if the search prefetches, otherwise when it is waited for.
type pending struct {
	result chan fetched
	fetch  func() (*answer, error)
}

type fetched struct {
	answer   *answer
	err      error
	response Response
}

func (s search[T]) begin(ctx context.Context, cursor string) *pending {
	if !s.prefetch {
		return &pending{fetch: func() (*answer, error) { return s.fetch(ctx, cursor) }}
	}
	p := &pending{result: make(chan fetched, 1)}
	go func() {
		defer close(p.result)
		var f fetched
		f.answer, f.err = s.fetch(WithResponse(ctx, &f.response), cursor)
		p.result <- f
	}()
	return p
}

func (p *pending) wait(ctx context.Context) (*answer, error) {
	if p.result == nil {
		return p.fetch()
	}
	f := <-p.result
	// The caller's Response is written here, where the caller cannot be reading it.
	if r := responseOf(ctx); r != nil && f.response.StatusCode != 0 {
		*r = f.response
	}
	return f.answer, f.err
}

// abandon ends the goroutine of a page that nobody waited for; its context is canceled. After wait it does nothing.
func (p *pending) abandon() {
	if p.result == nil {
		return
	}
	for range p.result { // until the goroutine closes it
	}
}

func asAnswer(resp *http.Response, err error) (*answer, error) {
	if err != nil {
		return nil, err
	}
	return resp.Body.(*answer), nil
}
