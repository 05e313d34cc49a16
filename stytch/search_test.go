package stytch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stytchkit/m2m/stytch"
)

// inMemory is a transport without a network: a handler responds in the goroutine of the caller, so
// that tests can use virtual time. A handler that panics with http.ErrAbortHandler loses the
// response, or what is left of it.
type inMemory struct{ http.Handler }

func (h inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	whole := h.serve(recorder, r)
	if r.Body != nil {
		r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := recorder.Result()
	switch {
	case !whole && recorder.Body.Len() == 0:
		return nil, io.ErrUnexpectedEOF
	case !whole:
		resp.Body = io.NopCloser(io.MultiReader(resp.Body, iotest.ErrReader(io.ErrUnexpectedEOF)))
	}
	return resp, nil
}

func (h inMemory) serve(w http.ResponseWriter, r *http.Request) (whole bool) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return true
}

// clientInMemory makes a client of a handler.
func clientInMemory(tb testing.TB, h http.HandlerFunc, options ...stytch.Option) *stytch.Client {
	tb.Helper()
	return clientOn(tb, inMemory{h}, options...)
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// paging is what both families share: a search whose results differ in their ids alone.
type paging struct {
	Cursor   string
	Limit    int
	Prefetch bool
	OnPage   func(stytch.PageInfo)
}

type family struct {
	name   string
	list   string // where a response holds its items
	search func(*stytch.Client, context.Context, paging) iter.Seq2[string, error]
	page   func(*stytch.Client, context.Context, paging) (*stytch.Page[string], error)
}

func families() []family {
	return []family{
		{"M2M", "m2m_clients",
			func(c *stytch.Client, ctx context.Context, p paging) iter.Seq2[string, error] {
				s := stytch.M2MSearch{Cursor: p.Cursor, Limit: p.Limit, Prefetch: p.Prefetch, OnPage: p.OnPage}
				return idsOf(c.M2M.Search(ctx, s), func(m stytch.M2MClient) string { return m.ClientID })
			},
			func(c *stytch.Client, ctx context.Context, p paging) (*stytch.Page[string], error) {
				page, err := c.M2M.SearchPage(ctx, stytch.M2MSearch{Cursor: p.Cursor, Limit: p.Limit})
				return pageOf(page, err, func(m stytch.M2MClient) string { return m.ClientID })
			}},
		{"ConnectedApps", "connected_apps",
			func(c *stytch.Client, ctx context.Context, p paging) iter.Seq2[string, error] {
				s := stytch.ConnectedAppSearch{Cursor: p.Cursor, Limit: p.Limit, Prefetch: p.Prefetch, OnPage: p.OnPage}
				return idsOf(c.ConnectedApps.Search(ctx, s), func(a stytch.ConnectedApp) string { return a.ClientID })
			},
			func(c *stytch.Client, ctx context.Context, p paging) (*stytch.Page[string], error) {
				page, err := c.ConnectedApps.SearchPage(ctx, stytch.ConnectedAppSearch{Cursor: p.Cursor, Limit: p.Limit})
				return pageOf(page, err, func(a stytch.ConnectedApp) string { return a.ClientID })
			}},
	}
}

func idsOf[T any](seq iter.Seq2[T, error], id func(T) string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for item, err := range seq {
			if !yield(id(item), err) {
				return
			}
		}
	}
}

func pageOf[T any](page *stytch.Page[T], err error, id func(T) string) (*stytch.Page[string], error) {
	if err != nil {
		return nil, err
	}
	out := &stytch.Page[string]{Next: page.Next, Total: page.Total}
	for _, item := range page.Items {
		out.Items = append(out.Items, id(item))
	}
	return out, nil
}

// collect ranges to the end. The error must be the last thing that comes.
func collect(t *testing.T, seq iter.Seq2[string, error]) (ids []string, last error) {
	t.Helper()
	for id, err := range seq {
		if last != nil {
			t.Fatal("the iterator went on after an error")
		}
		if len(ids) == 100 {
			t.Fatal("the iterator does not end")
		}
		if last = err; err == nil {
			ids = append(ids, id)
		} else if id != "" {
			t.Error("an item came with an error")
		}
	}
	return ids, last
}

// book is a fake search: for each cursor a page. It records the cursors it was asked for.
type book struct {
	list  string
	pages map[string]leaf

	mu    sync.Mutex
	asked []string
}

type leaf struct {
	ids    []string
	next   string // raw JSON of next_cursor; "" leaves the key out
	status int    // 0 means 200
	body   string // instead of all that, with %s for the list's name
}

func (b *book) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct{ Cursor string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		writeJSON(w, 500, `{}`)
		return
	}
	b.mu.Lock()
	b.asked = append(b.asked, request.Cursor)
	b.mu.Unlock()
	page, ok := b.pages[request.Cursor]
	switch {
	case !ok:
		writeJSON(w, 400, errorJSON(400, "bad_request"))
	case page.status != 0:
		writeJSON(w, page.status, errorJSON(page.status, "test_error"))
	case page.body != "":
		writeJSON(w, 200, strings.ReplaceAll(page.body, "%s", b.list))
	default:
		writeJSON(w, 200, pageBody(b.list, page.ids, page.next, len(page.ids)))
	}
}

func (b *book) requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.asked)
}

// pageBody looks like a response of Stytch, with a decoy in each item of what the search has to
// find.
func pageBody(list string, ids []string, next string, total int) string {
	items := make([]string, len(ids))
	for i, id := range ids {
		items[i] = fmt.Sprintf(`{"client_id":%q,"client_name":"\"next_cursor\":\"decoy\"","trusted_metadata":{"results_metadata":{"next_cursor":"decoy"}}}`, id)
	}
	if next != "" {
		next = `"next_cursor":` + next + `,`
	}
	return fmt.Sprintf(`{%q:[%s],"request_id":"request-id-test-page","results_metadata":{%s"total":%d},"status_code":200}`, list, strings.Join(items, ","), next, total)
}

func threePages() map[string]leaf {
	return map[string]leaf{
		"":   {ids: []string{"a", "b"}, next: `"c2"`},
		"c2": {ids: []string{"c"}, next: `"c3"`},
		"c3": {ids: []string{"d", "e"}, next: `null`},
	}
}

// eachWay runs a test for both families, with and without prefetch.
func eachWay(t *testing.T, test func(t *testing.T, f family, prefetch bool)) {
	for _, f := range families() {
		for _, prefetch := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/prefetch=%t", f.name, prefetch), func(t *testing.T) { test(t, f, prefetch) })
		}
	}
}

func TestSearchWalks(t *testing.T) {
	invalid := stytch.ErrInvalidResponse
	tests := []struct {
		name     string
		cursor   string
		pages    map[string]leaf
		items    []string
		requests []string
		err      error
	}{
		{"one page", "", map[string]leaf{"": {ids: []string{"a"}, next: `null`}}, []string{"a"}, []string{""}, nil},
		{"nothing", "", map[string]leaf{"": {next: `null`}}, nil, []string{""}, nil},
		{"next absent", "", map[string]leaf{"": {ids: []string{"a"}}}, []string{"a"}, []string{""}, nil},
		{"next empty", "", map[string]leaf{"": {ids: []string{"a"}, next: `""`}}, []string{"a"}, []string{""}, nil},
		{"three pages", "", threePages(), []string{"a", "b", "c", "d", "e"}, []string{"", "c2", "c3"}, nil},
		{"from the second page", "c2", threePages(), []string{"c", "d", "e"}, []string{"c2", "c3"}, nil},
		{"empty pages", "", map[string]leaf{"": {next: `"1"`}, "1": {ids: []string{"a"}, next: `"2"`}, "2": {next: `"3"`}, "3": {ids: []string{"b"}}},
			[]string{"a", "b"}, []string{"", "1", "2", "3"}, nil},
		{"odd cursors", "", map[string]leaf{"": {next: `"\u00e4\"\\/\u2028 +&="`}, "ä\"\\/\u2028 +&=": {ids: []string{"a"}}},
			[]string{"a"}, []string{"", "ä\"\\/\u2028 +&="}, nil},
		{"keys in another order", "", map[string]leaf{"": {body: `{"status_code":200, "results_metadata" : {"total":1, "next_cursor" : "z" }, "%s" : [{"client_id":"a"}]}`}, "z": {ids: []string{"b"}}},
			[]string{"a", "b"}, []string{"", "z"}, nil},

		{"repeated at once", "", map[string]leaf{"": {ids: []string{"a"}, next: `"1"`}, "1": {ids: []string{"b"}, next: `"1"`}}, []string{"a", "b"}, []string{"", "1"}, invalid},
		{"repeated where it began", "x", map[string]leaf{"x": {ids: []string{"a"}, next: `"x"`}}, []string{"a"}, []string{"x"}, invalid},
		{"repeated after three", "", map[string]leaf{"": {ids: []string{"a"}, next: `"1"`}, "1": {ids: []string{"b"}, next: `"2"`}, "2": {ids: []string{"c"}, next: `"3"`}, "3": {ids: []string{"d"}, next: `"1"`}},
			[]string{"a", "b", "c", "d"}, []string{"", "1", "2", "3"}, invalid},
		{"two next cursors", "", map[string]leaf{"": {body: `{"status_code":200,"%s":[{"client_id":"a"}],"results_metadata":{"next_cursor":null,"next_cursor":"1","total":1}}`}}, nil, []string{""}, invalid},
		{"cursor of a wrong type", "", map[string]leaf{"": {body: `{"status_code":200,"%s":[],"results_metadata":{"next_cursor":7,"total":1}}`}}, nil, []string{""}, invalid},
		{"list of a wrong type", "", map[string]leaf{"": {body: `{"status_code":200,"%s":{},"results_metadata":{"total":1}}`}}, nil, []string{""}, invalid},
		{"foreign JSON", "", map[string]leaf{"": {body: `{"hello":"world"}`}}, nil, []string{""}, invalid},
		{"refused on the third page", "", map[string]leaf{"": {ids: []string{"a"}, next: `"1"`}, "1": {ids: []string{"b"}, next: `"2"`}, "2": {status: 403}},
			[]string{"a", "b"}, []string{"", "1", "2"}, stytch.ErrForbidden},
	}
	eachWay(t, func(t *testing.T, f family, prefetch bool) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				b := &book{list: f.list, pages: tt.pages}
				seq := f.search(clientInMemory(t, b.ServeHTTP), t.Context(), paging{Cursor: tt.cursor, Prefetch: prefetch})
				if got := b.requests(); len(got) > 0 {
					t.Fatalf("asked for %q before anybody ranged", got)
				}
				for round := range 2 { // the same value, ranged twice, requests and returns the same
					items, err := collect(t, seq)
					if !slices.Equal(items, tt.items) || !errors.Is(err, tt.err) {
						t.Errorf("round %d: got %q, %v; want %q, %v", round, items, err, tt.items, tt.err)
					}
				}
				if got := b.requests(); !slices.Equal(got, append(slices.Clone(tt.requests), tt.requests...)) {
					t.Errorf("asked for %q, twice want %q", got, tt.requests)
				}
			})
		}
	})
}

// A refused cursor keeps what the response said about itself.
func TestSearchRepeatedCursorKeepsTheRequestID(t *testing.T) {
	eachWay(t, func(t *testing.T, f family, prefetch bool) {
		b := &book{list: f.list, pages: map[string]leaf{"": {next: `"1"`}, "1": {next: `"1"`}}}
		_, err := collect(t, f.search(clientInMemory(t, b.ServeHTTP), t.Context(), paging{Prefetch: prefetch}))
		var e *stytch.Error
		if !errors.As(err, &e) || e.RequestID != "request-id-test-page" || e.StatusCode != 200 || !strings.Contains(e.Error(), "cursor") {
			t.Errorf("got %v", err)
		}
	})
}

func TestSearchResumes(t *testing.T) {
	all := []string{"a", "b", "c", "d", "e"}
	eachWay(t, func(t *testing.T, f family, prefetch bool) {
		b := &book{list: f.list, pages: threePages()}
		client := clientInMemory(t, b.ServeHTTP)
		var infos []stytch.PageInfo
		before := map[string]int{} // items before the page of a cursor
		seen := 0
		for _, err := range f.search(client, t.Context(), paging{Prefetch: prefetch, OnPage: func(i stytch.PageInfo) {
			infos = append(infos, i)
			before[i.Cursor] = seen
		}}) {
			if err != nil {
				t.Fatal(err)
			}
			seen++
		}
		want := []stytch.PageInfo{{Cursor: "", Next: "c2", Total: 2}, {Cursor: "c2", Next: "c3", Total: 1}, {Cursor: "c3", Next: "", Total: 2}}
		if !slices.Equal(infos, want) {
			t.Fatalf("OnPage got %+v, want %+v", infos, want)
		}
		for cursor, skipped := range before {
			if items, err := collect(t, f.search(client, t.Context(), paging{Cursor: cursor, Prefetch: prefetch})); err != nil || !slices.Equal(items, all[skipped:]) {
				t.Errorf("from cursor %q: got %q, %v; want %q", cursor, items, err, all[skipped:])
			}
		}
	})
}

func TestSearchPage(t *testing.T) {
	for _, f := range families() {
		t.Run(f.name, func(t *testing.T) {
			b := &book{list: f.list, pages: threePages()}
			b.pages["uncounted"] = leaf{body: `{"status_code":200,"%s":[],"results_metadata":{"total":-1}}`}
			client := clientInMemory(t, b.ServeHTTP)
			for cursor, want := range map[string]stytch.Page[string]{
				"":          {Items: []string{"a", "b"}, Next: "c2", Total: 2},
				"c2":        {Items: []string{"c"}, Next: "c3", Total: 1},
				"c3":        {Items: []string{"d", "e"}, Total: 2},
				"uncounted": {Total: -1},
			} {
				if got, err := f.page(client, t.Context(), paging{Cursor: cursor}); err != nil || !reflect.DeepEqual(*got, want) {
					t.Errorf("page %q: got %+v, %v; want %+v", cursor, got, err, want)
				}
			}
			if page, err := f.page(client, t.Context(), paging{Cursor: "unknown"}); page != nil || !errors.Is(err, stytch.ErrInvalidRequest) {
				t.Errorf("unknown cursor: got %+v, %v", page, err)
			}
		})
	}
}

func TestSearchRefusesBadQueries(t *testing.T) {
	condition := stytch.ClientIDIn("a")
	for _, tt := range []struct {
		name    string
		search  stytch.M2MSearch
		mention []string // field and rule
	}{
		{"negative limit", stytch.M2MSearch{Limit: -1}, []string{"Limit", "between 1 and 1000"}},
		{"large limit", stytch.M2MSearch{Limit: 1001}, []string{"Limit", "between 1 and 1000"}},
		{"limit beyond int32", stytch.M2MSearch{Limit: math.MaxInt}, []string{"Limit", "between 1 and 1000"}},
		{"no condition", stytch.M2MSearch{Filter: stytch.M2MCondition{}}, []string{"condition 0 of Filter", "HasScope"}},
		{"one empty condition", stytch.M2MSearch{Filter: stytch.All(condition, stytch.M2MCondition{})}, []string{"condition 1 of Filter", "HasScope"}},
		{"no values", stytch.M2MSearch{Filter: stytch.Any(stytch.HasScope())}, []string{"condition 0 of Filter", "must have values"}},
		{"one condition without values", stytch.M2MSearch{Filter: stytch.HasScope()}, []string{"condition 0 of Filter", "must have values"}},
		{"an empty value", stytch.M2MSearch{Filter: stytch.Any(condition, condition, stytch.ClientNameIn("a", ""))}, []string{"condition 2 of Filter", "none of them empty"}},
		{"any of nothing", stytch.M2MSearch{Filter: stytch.Any()}, []string{"Filter", "must have conditions with Any"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := clientInMemory(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
			_, fromPage := client.M2M.SearchPage(t.Context(), tt.search)
			_, fromAll := collect(t, idsOf(client.M2M.Search(t.Context(), tt.search), func(m stytch.M2MClient) string { return m.ClientID }))
			for _, err := range []error{fromPage, fromAll} {
				if !errors.Is(err, stytch.ErrInvalidArgument) {
					t.Fatalf("got %v, want ErrInvalidArgument", err)
				}
				for _, text := range append(tt.mention, "SearchM2MClients") {
					if !strings.Contains(err.Error(), text) {
						t.Errorf("%q does not mention %q", err, text)
					}
				}
			}
		})
	}
	for _, limit := range []int{-1, 1001} {
		client := clientInMemory(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
		_, err := client.ConnectedApps.SearchPage(t.Context(), stytch.ConnectedAppSearch{Limit: limit})
		if !errors.Is(err, stytch.ErrInvalidArgument) || !strings.Contains(err.Error(), "SearchConnectedApps: Limit") {
			t.Errorf("limit %d of Connected Apps: %v", limit, err)
		}
	}
}

// A search is sent as the caller described it.
func TestSearchOnTheWire(t *testing.T) {
	for _, tt := range []struct {
		name   string
		search stytch.M2MSearch
		want   string
	}{
		{"zero", stytch.M2MSearch{}, `{}`},
		{"page", stytch.M2MSearch{Cursor: "c", Limit: 1000}, `{"cursor":"c","limit":1000}`},
		{"all of nothing", stytch.M2MSearch{Filter: stytch.All()}, `{}`},
		{"one condition", stytch.M2MSearch{Filter: stytch.ClientNameIn("a", "b")},
			`{"query":{"operands":[{"filter_name":"client_name","filter_value":["a","b"]}],"operator":"AND"}}`},
		{"all", stytch.M2MSearch{Limit: 1, Filter: stytch.All(stytch.HasScope("read:users", "x y"), stytch.ClientNameIn(`a"<ä`))},
			`{"limit":1,"query":{"operands":[{"filter_name":"scopes","filter_value":["read:users","x y"]},{"filter_name":"client_name","filter_value":["a\"\u003cä"]}],"operator":"AND"}}`},
		{"any", stytch.M2MSearch{Filter: stytch.Any(stytch.ClientIDIn("1", "2"))},
			`{"query":{"operands":[{"filter_name":"client_id","filter_value":["1","2"]}],"operator":"OR"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var bodies []string
			client := clientInMemory(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies = append(bodies, string(body))
				writeJSON(w, 200, pageBody("m2m_clients", nil, "", 0))
			})
			if _, err := client.M2M.SearchPage(t.Context(), tt.search); err != nil {
				t.Fatal(err)
			}
			for _, err := range client.M2M.Search(t.Context(), tt.search) {
				t.Fatal(err)
			}
			if !slices.Equal(bodies, []string{tt.want, tt.want}) {
				t.Errorf("sent %q, twice want %s", bodies, tt.want)
			}
		})
	}
}
