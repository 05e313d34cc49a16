package stytch

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/fastjson"
	"github.com/stytchkit/m2m/internal/guard"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/redact"
)

// M2MSearch selects the M2M clients to search for. The zero value selects all of them.
type M2MSearch struct {
	Filter M2MFilter // nil selects all clients

	Cursor string // where to begin: "" for the first page, or a cursor of an earlier search
	Limit  int    // clients per page, 1 to 1,000; 0 means Stytch's default of 100

	// Prefetch requests the next page while the clients of this one are being used. It reads at
	// most one page ahead. If the loop ends early, the request is canceled.
	Prefetch bool

	// OnPage is called before the first client of each page, also of an empty one. A later search
	// resumes at this page with its Cursor, and at the following page with its Next.
	OnPage func(PageInfo)
}

// ConnectedAppSearch is how to search Connected Apps, for which Stytch has no filters. The fields
// are those of [M2MSearch].
type ConnectedAppSearch struct {
	Cursor   string
	Limit    int
	Prefetch bool
	OnPage   func(PageInfo)
}

// PageInfo describes a page of a search.
type PageInfo struct {
	Cursor string // of this page; "" for the first one
	Next   string // cursor of the next page; "" on the last one
	Total  int    // number of matches on all pages; -1 if the workspace does not count them
}

// Page is one page of a search.
type Page[T any] struct {
	Items []T
	Next  string // cursor of the next page; "" on the last one
	Total int    // number of matches on all pages; -1 if the workspace does not count them
}

func newPage[T any](items []T, meta gen.ResultsMetadata) Page[T] {
	return Page[T]{Items: items, Next: valueOf(meta.NextCursor), Total: int(meta.Total)}
}

// nextCursor finds the cursor of the next page without decoding the page.
func nextCursor(body []byte) string {
	return fastjson.FindString(fastjson.Find(body, `"results_metadata"`), `"next_cursor"`)
}

// search pages through M2M clients or Connected Apps.
type search[T any] struct {
	op       *operation.Operation
	cursor   string
	limit    int
	prefetch bool
	onPage   func(PageInfo)
	redactor *redact.Redactor
	filter   M2MFilter
	fetch    func(ctx context.Context, cursor string) (*response, error)
	decode   func(*response) (Page[T], error)
}

func (s search[T]) check() error {
	if s.limit < 0 || s.limit > 1000 {
		return invalid(s.op.ID, "Limit must be between 1 and 1000, or 0 for the default")
	}
	if s.filter != nil {
		return s.filter.check()
	}
	return nil
}

func (s search[T]) page(ctx context.Context) (*Page[T], error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	r, err := s.fetch(ctx, s.cursor)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	page, err := s.decode(r)
	if err != nil && len(page.Items) == 0 {
		return nil, err
	}
	return &page, err
}

func (s search[T]) all(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if err := s.check(); err != nil {
			yield(none, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		cursor, seen := s.cursor, map[string]bool{s.cursor: true}
		ahead := s.begin(ctx, cursor)
		defer func() { cancel(); ahead.abandon() }()
		for {
			r, err := ahead.wait(ctx)
			if err != nil {
				yield(none, err)
				return
			}
			// The cursor is found before the page is decoded, so that the next request runs in the
			// meantime.
			next := nextCursor(r.Bytes())
			var repeated error
			if next != "" && seen[next] {
				repeated = r.invalid(errors.New("the page repeats an earlier cursor"))
			}
			if s.prefetch && next != "" && repeated == nil {
				ahead = s.begin(ctx, next)
			}
			page, err := s.decode(r)
			if err == nil && page.Next != next {
				err = r.invalid(errors.New("the page has two different next_cursor values"))
			}
			r.Close()
			if err != nil {
				yield(none, err)
				return
			}
			if s.onPage != nil {
				info := PageInfo{Cursor: cursor, Next: next, Total: page.Total}
				if err := guard.Run("OnPage", func() { s.onPage(info) }); err != nil {
					yield(none, fmt.Errorf("stytch: %s: %w", s.op.ID, s.redactor.Error(err)))
					return
				}
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

// pending is a page that was requested: in the background if the search prefetches, otherwise when
// wait is called.
type pending struct {
	result chan fetched
	fetch  func() (*response, error)
}

type fetched struct {
	response *response
	err      error
	stored   Response // for WithResponse
}

func (s search[T]) begin(ctx context.Context, cursor string) *pending {
	if !s.prefetch {
		return &pending{fetch: func() (*response, error) { return s.fetch(ctx, cursor) }}
	}
	p := &pending{result: make(chan fetched, 1)}
	go func() {
		defer close(p.result)
		var f fetched
		f.err = guard.Call("a page of a search", func() (err error) {
			f.response, err = s.fetch(WithResponse(ctx, &f.stored), cursor)
			return err
		})
		if panicked := (*guard.PanicError)(nil); errors.As(f.err, &panicked) {
			f.err = fmt.Errorf("stytch: %s: %w", s.op.ID, s.redactor.Error(f.err))
		}
		p.result <- f
	}()
	return p
}

func (p *pending) wait(ctx context.Context) (*response, error) {
	if p.result == nil {
		return p.fetch()
	}
	f := <-p.result
	// The target of WithResponse is written here, in the caller's goroutine, which cannot be
	// reading it now.
	if r := responseTarget(ctx); r != nil && f.stored.StatusCode != 0 {
		*r = f.stored
	}
	return f.response, f.err
}

// abandon waits for the goroutine of a page that is not needed; its context is canceled. After wait
// it does nothing.
func (p *pending) abandon() {
	if p.result == nil {
		return
	}
	for range p.result { // until the goroutine closes it
	}
}
