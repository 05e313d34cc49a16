package conformance

import (
	"context"
	"slices"
	"time"

	"github.com/stytchkit/m2m/stytch"
)

func (s *suite) m2mSearch(t reporter) {
	const clients = 3
	first, second, third := "first:"+s.prefix, "second:"+s.prefix, "third:"+s.prefix
	var ids, names []string
	for _, scopes := range [clients][]string{{first, second}, {second}, {third, second}} {
		created := s.newM2M(t, stytch.M2MCreate{Scopes: scopes})
		ids, names = append(ids, created.ClientID), append(names, created.ClientName)
	}
	for name, tt := range map[string]struct {
		filter stytch.M2MFilter
		want   []string
	}{
		"an id":                   {stytch.All(stytch.ClientIDIn(ids[1])), ids[1:2]},
		"ids":                     {stytch.All(stytch.ClientIDIn(ids[2], ids[0], s.unknownID("m2m-client"))), []string{ids[0], ids[2]}},
		"a name":                  {stytch.All(stytch.ClientNameIn(names[0])), ids[:1]},
		"a name is whole":         {stytch.All(stytch.ClientNameIn(s.prefix)), nil},
		"a scope":                 {stytch.All(stytch.HasScope(second)), ids},
		"one of the scopes":       {stytch.All(stytch.HasScope(first, third)), []string{ids[0], ids[2]}},
		"a scope that none has":   {stytch.All(stytch.HasScope("none:" + s.prefix)), nil},
		"all conditions":          {stytch.All(stytch.HasScope(second), stytch.ClientIDIn(ids[0], ids[1]), stytch.ClientNameIn(names[1], names[2])), ids[1:2]},
		"conditions that exclude": {stytch.All(stytch.HasScope(first), stytch.HasScope(third)), nil},
		"any condition":           {stytch.Any(stytch.HasScope(first), stytch.ClientNameIn(names[1])), ids[:2]},
	} {
		t.Run(name, func(t reporter) { s.checkSearch(t, tt.filter, tt.want) })
	}
	t.Run("pages", func(t reporter) { s.m2mPages(t, stytch.All(stytch.HasScope(second)), ids) })
	t.Run("a bad cursor", func(t reporter) {
		_, err := s.api.M2M.SearchPage(t.Context(), stytch.M2MSearch{Cursor: "no-cursor-of-Stytch"})
		s.assumed(t, "a cursor that Stytch did not make is refused", refused(err), err)
	})
}

func (s *suite) checkSearch(t reporter, filter stytch.M2MFilter, want []string) {
	t.Helper()
	total := 0
	s.checkFound(t, want, func(ctx context.Context) (found []string, err error) {
		page, err := s.api.M2M.SearchPage(ctx, stytch.M2MSearch{Filter: filter})
		if err != nil {
			return nil, err
		}
		for _, client := range page.Items {
			found = append(found, client.ClientID)
		}
		total = page.Total
		return found, nil
	})
	if total != len(want) && total != -1 {
		t.Errorf("the total is %d, want %d, or -1 for a workspace without totals", total, len(want))
	}
}

// m2mPages walks over the same clients page by page, as a whole, and from where an earlier walk
// stopped.
func (s *suite) m2mPages(t reporter, filter stytch.M2MFilter, want []string) {
	byHand := func(ctx context.Context) (found []string, err error) {
		cursor := ""
		for range 10 * len(want) { // a page may be short or empty; a server that goes in circles would never end
			page, err := s.api.M2M.SearchPage(ctx, stytch.M2MSearch{Filter: filter, Limit: len(want) - 1, Cursor: cursor})
			if err != nil {
				return nil, err
			}
			if len(page.Items) >= len(want) {
				t.Errorf("a page holds %d clients, more than its limit", len(page.Items))
			}
			for _, client := range page.Items {
				found = append(found, client.ClientID)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		return found, nil
	}
	s.checkFound(t, want, byHand)

	for _, prefetch := range []bool{false, true} {
		var pages []stytch.PageInfo
		search := stytch.M2MSearch{Filter: filter, Limit: 1, Prefetch: prefetch, OnPage: func(p stytch.PageInfo) { pages = append(pages, p) }}
		walk := func(ctx context.Context) (found []string, err error) {
			pages = nil
			for client, err := range s.api.M2M.Search(ctx, search) {
				if err != nil {
					return nil, err
				}
				found = append(found, client.ClientID)
			}
			return found, nil
		}
		s.checkFound(t, want, walk)
		if len(pages) < len(want) {
			t.Errorf("%d pages of one client each, want at least %d", len(pages), len(want))
			continue
		}
		first, err := s.api.M2M.SearchPage(t.Context(), search)
		must(t, err, "read the first page")
		search.Cursor = pages[0].Next
		rest, err := walk(t.Context())
		must(t, err, "resume")
		for _, client := range first.Items {
			rest = append(rest, client.ClientID)
		}
		checkSame(t, rest, want)
	}
}

func (s *suite) connectedAppSearch(t reporter) {
	var want []string
	for range 2 {
		want = append(want, s.newApp(t, stytch.ConnectedAppCreate{ClientType: stytch.ThirdPartyPublic}).ClientID)
	}
	for _, prefetch := range []bool{false, true} {
		s.checkFound(t, want, func(ctx context.Context) (found []string, err error) {
			for app, err := range s.api.ConnectedApps.Search(ctx, stytch.ConnectedAppSearch{Prefetch: prefetch}) {
				if err != nil {
					return nil, err
				}
				if s.owns(app.ClientName) {
					found = append(found, app.ClientID)
				}
			}
			return found, nil
		})
	}

	first, err := s.api.ConnectedApps.SearchPage(t.Context(), stytch.ConnectedAppSearch{Limit: 1})
	must(t, err, "read the first page")
	if len(first.Items) != 1 || first.Next == "" || first.Total != -1 && first.Total < len(want) {
		t.Fatalf("the first page is %s; want one app, a cursor, and a total of at least %d", show(first), len(want))
	}
	second, err := s.api.ConnectedApps.SearchPage(t.Context(), stytch.ConnectedAppSearch{Limit: 1, Cursor: first.Next})
	must(t, err, "read the second page")
	if len(second.Items) != 1 || second.Items[0].ClientID == first.Items[0].ClientID {
		t.Errorf("the second page is %s; want one app, and another than on the first", show(second))
	}
}

// checkFound searches. Stytch may take a while to find what was created, which is logged; anybody
// else has one try.
func (s *suite) checkFound(t reporter, want []string, search func(context.Context) ([]string, error)) {
	t.Helper()
	start := time.Now()
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		found, err := search(t.Context())
		must(t, err, "search")
		if !s.live || time.Since(start)+wait > s.patience || same(found, want) {
			checkSame(t, found, want)
			return
		}
		t.Logf("observed: a search has not seen the last changes yet; asking again after %v", wait)
		select {
		case <-time.After(wait):
		case <-t.Context().Done():
		}
	}
}

// same compares without order, which is not documented.
func same(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func checkSame(t reporter, found, want []string) {
	t.Helper()
	if !same(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
}
