package credentials

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"m2m-client-test-1":            "m2m-client-test-1",
		"\ufeffm2m-client-test-1":      "m2m-client-test-1",
		`s~!"#$%&'()*+,-./:;<=>?@[]`:   `s~!"#$%&'()*+,-./:;<=>?@[]`,
		`"quoted at one end`[:1] + "x": `"x`,
		`"`:                            `"`,
		"é日本語":                         "é日本語",
	} {
		if got, err := Text("client_id", text); err != nil || got != want {
			t.Errorf("%q: %q, error %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"\ufeff\ufeffcanary": "zero-width character (U+FEFF)",
		"can\ufeffary":       "zero-width character (U+FEFF)",
		"canary\u200b":       "zero-width character (U+200B)",
		"\u2060canary":       "zero-width character (U+2060)",
		"can\u00adary":       "zero-width character (U+00AD)",
		"can\u034fary":       "zero-width character (U+034F)",
		"canary\ufe0f":       "zero-width character (U+FE0F)",
		"can\u202eary":       "zero-width character (U+202E)",
		" canary":            "space (U+0020)",
		"can ary":            "space (U+0020)",
		"canary\t":           "space (U+0009)",
		"canary\u00a0":       "space (U+00A0)",
		"can\u3000ary":       "space (U+3000)",
		"canary\n":           "line break",
		"can\ncanary":        "line break",
		"canary\r":           "line break",
		"can\u2028ary":       "line break",
		"can\x00ary":         "control character (U+0000)",
		"can\x1bary":         "control character (U+001B)",
		`"canary"`:           "quotation marks",
		`'canary'`:           "quotation marks",
		"`canary`":           "quotation marks",
		"“canary”":           "quotation marks",
		"‘canary’":           "quotation marks",
		`""`:                 "quotation marks",
		"\ufeff\"canary\"":   "quotation marks",
		"canary\xff":         "not UTF-8",
		"\xff\xfec\x00":      "not UTF-8", // UTF-16
	} {
		_, err := Text("client_secret", text)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "client_secret ") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: error %v, want one that names a %s", text, err, want)
		}
	}
}
