package emulator_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

func TestSearchFilters(t *testing.T) {
	seeds := []emulator.M2MClientSeed{
		{ClientID: "a", Name: "one", Scopes: []string{"read", "write"}},
		{ClientID: "b", Name: "two", Scopes: []string{"read"}},
		{ClientID: "c", Name: "One", Scopes: []string{"admin"}},
		{ClientID: "d", Name: "one", Scopes: nil},
	}
	w := start(t, emulator.WithM2MClients(len(seeds), func(i int) emulator.M2MClientSeed { return seeds[i] }))
	operand := func(name, values string) string {
		return `{"filter_name":"` + name + `","filter_value":[` + values + `]}`
	}
	tests := []struct{ name, query, want string }{
		{"absent", ``, "abcd"},
		{"null", `null`, "abcd"},
		{"no operands", `{"operator":"AND"}`, "abcd"},
		{"null operands", `{"operator":"OR","operands":null}`, "abcd"},
		{"empty operands", `{"operator":"OR","operands":[]}`, "abcd"},
		{"by id", `{"operator":"AND","operands":[` + operand("client_id", `"c"`) + `]}`, "c"},
		{"by ids", `{"operator":"AND","operands":[` + operand("client_id", `"d","b","x"`) + `]}`, "bd"},
		{"by name, exactly", `{"operator":"AND","operands":[` + operand("client_name", `"one"`) + `]}`, "ad"},
		{"a part of a name is no match", `{"operator":"AND","operands":[` + operand("client_name", `"on"`) + `]}`, ""},
		{"by scope", `{"operator":"AND","operands":[` + operand("scopes", `"read"`) + `]}`, "ab"},
		{"by one of the scopes", `{"operator":"AND","operands":[` + operand("scopes", `"write","admin"`) + `]}`, "ac"},
		{"AND", `{"operator":"AND","operands":[` + operand("scopes", `"read"`) + `,` + operand("client_name", `"one"`) + `]}`, "a"},
		{"OR", `{"operator":"OR","operands":[` + operand("scopes", `"read"`) + `,` + operand("client_name", `"one"`) + `]}`, "abd"},
		{"no values match nothing", `{"operator":"OR","operands":[` + operand("client_id", ``) + `]}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &harness{w.Server, t}
			body := `{}`
			if tt.query != "" {
				body = `{"query":` + tt.query + `}`
			}
			found, _, total := w.search(body)
			if got := strings.Join(found, ""); got != tt.want || total != len(tt.want) {
				t.Errorf("found %q of %d, want %q", got, total, tt.want)
			}
		})
	}
}

// search returns the ids of a page, the next cursor and the total.
func (w *harness) search(body string) (ids []string, next string, total int) {
	w.t.Helper()
	var page struct {
		Clients []struct {
			ID string `json:"client_id"`
		} `json:"m2m_clients"`
		Results struct {
			Next  *string `json:"next_cursor"`
			Total int
		} `json:"results_metadata"`
	}
	got := w.expect(200, "", "POST", clients+"/search", body)
	if err := json.Unmarshal([]byte(got.body), &page); err != nil {
		w.t.Fatal(err)
	}
	for _, c := range page.Clients {
		ids = append(ids, c.ID)
	}
	if page.Results.Next != nil {
		next = *page.Results.Next
		if next == "" {
			w.t.Error("an empty next_cursor")
		}
	}
	return ids, next, page.Results.Total
}

func TestSearchRefuses(t *testing.T) {
	w := start(t)
	operand := func(text string) string { return `{"query":{"operator":"OR","operands":[` + text + `]}}` }
	for _, tt := range []struct{ body, kind string }{
		{``, "bad_request"},
		{`{"limit":-1}`, "bad_request"},
		{`{"limit":1001}`, "bad_request"},
		{`{"limit":1.5}`, "bad_request"},
		{`{"limit":"10"}`, "bad_request"},
		{`{"limit":2147483648}`, "bad_request"},
		{`{"limit":1e99}`, "bad_request"},
		{`{"cursor":1}`, "bad_request"},
		{`{"cursor":"x"}`, "bad_request"},
		{`{"cursor":"YWZ0ZXI6OTk"}`, "bad_request"}, // after:99, never given out
		{`{"cursor":"YWZ0ZXI6MA"}`, "bad_request"},  // after:0
		{`{"cursor":"YWZ0ZXI6LTE"}`, "bad_request"}, // after:-1
		{`{"cursor":"b3RoZXI6MQ"}`, "bad_request"},  // other:1
		{`{"query":[]}`, "bad_request"},
		{`{"query":{"operands":[]}}`, "bad_request"},
		{`{"query":{"operator":"and"}}`, "bad_request"},
		{`{"query":{"operator":null}}`, "bad_request"},
		{`{"query":{"operator":5}}`, "bad_request"},
		{`{"query":{"operator":"XOR","operands":[]}}`, "bad_request"},
		{`{"query":{"operator":"OR","operands":{}}}`, "bad_request"},
		{operand(`1`), "bad_request"},
		{operand(`null`), "bad_request"},
		{operand(`{}`), "m2m_search_missing_filter_name"},
		{operand(`{"filter_name":null,"filter_value":["a"]}`), "m2m_search_missing_filter_name"},
		{operand(`{"filter_name":5,"filter_value":["a"]}`), "m2m_search_filter_name_must_be_string"},
		{operand(`{"filter_name":"status","filter_value":["a"]}`), "m2m_search_filter_name_not_recognized"},
		{operand(`{"filter_name":"","filter_value":["a"]}`), "m2m_search_filter_name_not_recognized"},
		{operand(`{"filter_name":"scopes"}`), "m2m_search_missing_filter_value"},
		{operand(`{"filter_name":"scopes","filter_value":null}`), "m2m_search_missing_filter_value"},
		{operand(`{"filter_name":"scopes","filter_value":"a"}`), "m2m_search_expected_array_of_strings"},
		{operand(`{"filter_name":"scopes","filter_value":["a",1]}`), "m2m_search_expected_array_of_strings"},
		{operand(`{"filter_name":"scopes","filter_value":[null]}`), "m2m_search_expected_array_of_strings"},
		{operand(`{"filter_name":"scopes","filter_value":["a"]},{}`), "m2m_search_missing_filter_name"},
	} {
		w.expect(400, tt.kind, "POST", clients+"/search", tt.body)
	}
}

func TestSearchPages(t *testing.T) {
	w := start(t, emulator.WithM2MClients(250, func(i int) emulator.M2MClientSeed {
		return emulator.M2MClientSeed{ClientID: fmt.Sprint(i), Scopes: []string{[]string{"even", "odd"}[i%2]}}
	}))
	for _, tt := range []struct {
		name, rest string
		pages      []int
	}{
		{"default limit", ``, []int{100, 100, 50}},
		{"limit 0 is the default", `,"limit":0`, []int{100, 100, 50}},
		{"null limit", `,"limit":null`, []int{100, 100, 50}},
		{"all at once", `,"limit":1000`, []int{250}},
		{"exactly all", `,"limit":250`, []int{250}},
		{"one short", `,"limit":249`, []int{249, 1}},
		{"filtered", `,"limit":50,"query":{"operator":"AND","operands":[{"filter_name":"scopes","filter_value":["odd"]}]}`, []int{50, 50, 25}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &harness{w.Server, t}
			var sizes []int
			seen, cursor := map[string]bool{}, ""
			for {
				ids, next, total := w.search(`{"cursor":"` + cursor + `"` + tt.rest + `}`)
				sizes = append(sizes, len(ids))
				for _, id := range ids {
					seen[id] = true
				}
				if want := sum(tt.pages); total != want {
					t.Fatalf("total %d, want %d", total, want)
				}
				if cursor = next; next == "" {
					break
				}
			}
			if !slices.Equal(sizes, tt.pages) || len(seen) != sum(tt.pages) {
				t.Errorf("pages of %v with %d clients, want %v", sizes, len(seen), tt.pages)
			}
		})
	}
}

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}

// A client that exists from the first page to the last is listed once, whatever else is added or
// removed.
func TestCursorStaysRightWhileClientsComeAndGo(t *testing.T) {
	const n = 3000
	w := start(t, emulator.WithM2MClients(n, func(i int) emulator.M2MClientSeed {
		return emulator.M2MClientSeed{ClientID: fmt.Sprint("old-", i)}
	}))
	stays := map[string]bool{}
	for i := range n {
		stays[fmt.Sprint("old-", i)] = true
	}
	seen, cursor, victim := map[string]int{}, "", 0
	for page := 0; ; page++ {
		ids, next, _ := w.search(`{"limit":50,"cursor":"` + cursor + `"}`)
		for _, id := range ids {
			seen[id]++
		}
		if cursor = next; next == "" {
			break
		}
		if page < 50 {
			w.create(fmt.Sprintf(`{"scopes":[],"client_id":"new-%d"}`, page))
		}
		// The last client of the page, which is the position of the cursor, and many before and
		// after it, so that the table compacts.
		for _, id := range []string{ids[len(ids)-1], fmt.Sprint("old-", victim), fmt.Sprint("old-", n-1-victim)} {
			w.call("DELETE", clients+"/"+id, "")
			delete(stays, id)
		}
		for range 30 {
			victim++
			w.call("DELETE", clients+"/"+fmt.Sprint("old-", victim), "")
			delete(stays, fmt.Sprint("old-", victim))
		}
		victim++
	}
	for id := range maps.Keys(stays) {
		if seen[id] != 1 {
			t.Fatalf("%s was listed %d times", id, seen[id])
		}
	}
	for id, times := range seen {
		if times > 1 {
			t.Fatalf("%s was listed %d times", id, times)
		}
	}
	if len(stays) < 500 || victim < 1500 {
		t.Fatalf("the test removed too much or too little: %d stay", len(stays))
	}
}

func TestTotalsCanBeOff(t *testing.T) {
	w := start(t, emulator.WithTotals(false), emulator.WithM2MClients(3, func(int) emulator.M2MClientSeed { return emulator.M2MClientSeed{} }))
	ids, next, total := w.search(`{"limit":2}`)
	if len(ids) != 2 || next == "" || total != -1 {
		t.Errorf("%d clients, total %d", len(ids), total)
	}
	if ids, next, total = w.search(`{"limit":2,"cursor":"` + next + `"}`); len(ids) != 1 || next != "" || total != -1 {
		t.Errorf("%d clients, total %d", len(ids), total)
	}
}
