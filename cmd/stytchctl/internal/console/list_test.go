package console

import (
	"net/url"
	"strings"
	"testing"
)

// Forward and back again, page after page, ends at the first page.
func TestTrail(t *testing.T) {
	const base = "/list"
	at := func(address string) listQuery {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return parseQuery(u.Query())
	}
	address := base + "?q=a+b"
	cursors := []string{"", "YQ", "Yg", "Yw"}
	for i, cursor := range cursors[1:] {
		address = at(address).next(base, cursor)
		if q := at(address); q.Cursor != cursor || q.Filter != "a b" || q.number != i+2 {
			t.Fatalf("page %d is %+v", i+2, q)
		}
	}
	for i := len(cursors) - 2; i >= 0; i-- {
		address = at(address).previous(base)
		if q := at(address); q.Cursor != cursors[i] || q.Filter != "a b" || q.number != i+1 {
			t.Fatalf("back on page %d: %+v", i+1, q)
		}
	}
	if got := at(address).previous(base); got != "" {
		t.Errorf("there is a page before the first one: %s", got)
	}
	for range 10 * maxTrail {
		address = at(address).next(base, "YWZ0ZXI6MTAwMDAw")
	}
	if n := len(at(address).trail); n != maxTrail || len(address) > 2000 {
		t.Errorf("the trail has %d pages, the address %d bytes", n, len(address))
	}
	if q := parseQuery(url.Values{"page": {"7"}, "q": {strings.Repeat(" ", 3)}}); q.number != 1 || q.Filter != "" {
		t.Errorf("without a cursor: %+v", q)
	}
}
