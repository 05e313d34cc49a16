package conformance

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stytchkit/m2m/internal/contract"
)

func schema(tb testing.TB, name string) *openapi3.SchemaRef {
	tb.Helper()
	doc, err := contract.Load()
	if err != nil {
		tb.Fatal(err)
	}
	ref := doc.Components.Schemas[name]
	if ref == nil {
		tb.Fatalf("the contract has no schema %s", name)
	}
	return ref
}

// A tamer adapts a random request to the rules that its schema does not express. Texts that no rule
// is about stay wild.
type tamer struct {
	*rand.Rand
	words int
}

// word is one that did not come up before.
func (w *tamer) word() string {
	w.words++
	return fmt.Sprintf("w%d-%x", w.words, w.Uint32())
}

func (w *tamer) secret() string {
	return fmt.Sprintf("Secret_%d-%016x%016x", w.IntN(10), w.Uint64(), w.Uint64())
}

func (w *tamer) each(list any, replace func(string) string) {
	items, _ := list.([]any)
	for i, item := range items {
		if old, ok := item.(string); ok {
			items[i] = replace(old)
		}
	}
}

// replace puts a text in the place of another one. What is absent or null stays so.
func (w *tamer) replace(object map[string]any, name string, with func(string) string) {
	if old, ok := object[name].(string); ok {
		object[name] = with(old)
	}
}

func (w *tamer) fresh(string) string { return w.word() }

// m2m tames the requests that create and update M2M clients.
func (w *tamer) m2m(request map[string]any) {
	w.replace(request, "client_id", w.fresh)
	w.replace(request, "client_secret", func(string) string { return w.secret() })
	w.each(request["scopes"], func(string) string { return "scope:" + fmt.Sprint(w.IntN(8)) })
}

// app tames the requests that create and update Connected Apps of a type.
func (w *tamer) app(request map[string]any, kind string) {
	for _, name := range []string{"full_access_allowed", "bypass_consent_for_offline_access"} {
		if strings.HasPrefix(kind, "third_party") && request[name] != nil {
			request[name] = false
		}
	}
	if request["access_token_expiry_minutes"] != nil {
		request["access_token_expiry_minutes"] = json.Number(fmt.Sprint(1 + w.IntN(1440)))
	}
	w.replace(request, "access_token_custom_audience", w.fresh)
	for _, name := range []string{"access_token_template_content", "id_token_template_content"} {
		w.replace(request, name, func(old string) string { return "{" + old + "}" })
	}
	for _, name := range []string{"redirect_urls", "post_logout_redirect_urls"} {
		w.each(request[name], func(string) string { return "https://example.com/" + w.word() })
	}
}
