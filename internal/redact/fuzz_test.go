package redact

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stytchkit/m2m/stytch/secret"
)

// No eight bytes of a secret, however it is written, come through.
func FuzzRedact(f *testing.F) {
	f.Add("0123456789abcdef", "before ", " after", 40)
	f.Add(hard, "{\"a\":\"", "\"}", 10)
	f.Add("two words and more", "\n", "\xff", 1)
	f.Add("secret\nwith\x00control", "", "", 100)
	f.Fuzz(func(t *testing.T, s, before, after string, limit int) {
		if len(s) < 8 || len(s) > 200 || len(before)+len(after) > 500 || strings.Contains(s, "REDACTED") || limit < 1 || limit > 1000 {
			t.Skip()
		}
		for _, c := range secret.Placeholder { // windows over the edge of a placeholder are made of it
			if strings.ContainsRune(s, c) && strings.Contains("[]REDACT", string(c)) {
				t.Skip()
			}
		}
		r := New(s)
		for name, form := range written(s) {
			core := form
			if strings.Contains(name, "base64") || name == "Basic" || strings.Contains(name, "JSON in") || name == "%+q" || name == "%q of JSON" {
				core = s // what is around it was encoded with it; that is for the table
			}
			text := before + form + after
			for kind, out := range map[string]string{
				"Text": r.Text(text), "Line": r.Line(text, limit), "Error": r.Error(errors.New(text)).Error(),
				"JSON": string(r.JSON(json.RawMessage(strconv.Quote(text)))),
			} {
				if survives(out, core) || survives(out, s) {
					t.Errorf("%s of %s of %q: %q", kind, name, s, out)
				}
				if kind == "Line" && (len(out) > limit || !utf8.ValidString(out)) {
					t.Errorf("line of %d bytes for %d: %q", len(out), limit, out)
				}
			}
			if utf8.ValidString(text) && !utf8.ValidString(r.Text(text)) {
				t.Errorf("not UTF-8 any more: %q", r.Text(text))
			}
			encoded, _ := json.Marshal(text)
			if out := r.JSON(encoded); !json.Valid(out) || survives(string(out), s) {
				t.Errorf("JSON of %s of %q: %s", name, s, out)
			}
		}
	})
}
