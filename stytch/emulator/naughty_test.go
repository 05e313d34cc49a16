package emulator_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/internal/vectors"
)

func quote(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every string comes back unchanged or is refused.
func TestNaughtyStrings(t *testing.T) {
	var naughty []string
	if err := json.Unmarshal(vectors.Public(t, "blns/blns.json"), &naughty); err != nil {
		t.Fatal(err)
	}
	if len(naughty) != 515 {
		t.Errorf("%d strings", len(naughty))
	}
	w := start(t)
	n := heavy.Count(130, len(naughty))
	for i := range n {
		s := naughty[i*len(naughty)/n]
		got := w.expect(200, "", "POST", clients, quote(t, map[string]any{
			"scopes": []string{}, "client_name": s, "client_description": s, "trusted_metadata": map[string]any{"k": s, "n": map[string]any{s: []string{s}}},
		})).object(t)["m2m_client"]
		if text(got, "client_name") != s || text(got, "client_description") != s || text(got, "trusted_metadata", "k") != s {
			t.Errorf("%q did not come back", s)
		}
		if list, _ := at(got, "trusted_metadata", "n", s).([]any); len(list) != 1 || list[0] != s {
			t.Errorf("%q did not come back as a key", s)
		}
		id := text(got, "client_id")
		refusable := func(got reply, kind string) bool {
			t.Helper()
			if got.status != 200 && (got.status != 400 || got.kind() != kind) {
				t.Errorf("%q: %d %s", s, got.status, got.kind())
			}
			return got.status == 200
		}
		if got := w.call("PUT", clients+"/"+id, quote(t, map[string]any{"scopes": []string{s}})); refusable(got, "invalid_m2m_client_scope") {
			if scopes, _ := at(got.object(t), "m2m_client", "scopes").([]any); len(scopes) != 1 || scopes[0] != s {
				t.Errorf("%q did not come back as a scope", s)
			}
		}
		if got := w.call("PUT", clients+"/"+id, quote(t, map[string]any{"status": s})); got.status != 400 {
			t.Errorf("%q is a status", s)
		}
		w.ok("DELETE", clients+"/"+id, "")
		if got := w.call("POST", clients, quote(t, map[string]any{"scopes": []string{}, "client_id": s})); refusable(got, "m2m_client_invalid_client_id") {
			if got := text(w.ok("DELETE", clients+"/"+url.PathEscape(s), ""), "client_id"); got != s {
				t.Errorf("the id %q came back as %q", s, got)
			}
		}
		found, _, _ := w.search(quote(t, map[string]any{"query": map[string]any{"operator": "AND", "operands": []any{
			map[string]any{"filter_name": "client_name", "filter_value": []string{s}}}}}))
		if len(found) > 0 {
			t.Errorf("%q finds a client that was removed, or one without a name", s)
		}
		w.call("POST", clients+"/search", quote(t, map[string]any{"cursor": s + "x"}))
		w.call("POST", apps, quote(t, map[string]any{"client_type": "first_party", "client_name": s, "redirect_urls": []string{s}, "access_token_custom_audience": s, "logo_url": s}))
		w.token(url.Values{"client_id": {s}, "client_secret": {s}, "scope": {s}, s: {s}})
	}
}

// JSON that parsers disagree about is returned unchanged or refused, never a 5xx.
func TestAwkwardJSON(t *testing.T) {
	files := vectors.PublicFiles(t, "JSONTestSuite/test_parsing/*.json")
	w := start(t)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		whole := w.call("POST", clients+"/search", string(data), header("Content-Type", "application/json"))
		inside := w.call("PUT", clients+"/unknown", `{"trusted_metadata":{"k":`+string(data)+`}}`, header("Content-Type", "application/json"))
		if whole.status >= 500 || inside.status >= 500 || strings.HasPrefix(name, "n_") && len(data) > 0 && whole.status < 400 {
			t.Errorf("%s: %d and %d", name, whole.status, inside.status)
		}
		if strings.HasPrefix(name, "y_") && inside.status == 400 {
			t.Errorf("%s is valid and refused", name)
		}
	}
}
