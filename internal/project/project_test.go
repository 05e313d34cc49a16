package project

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/secret"
)

// check compares a verdict, and holds that no error quotes what it refuses.
func check(t *testing.T, what, value string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s %q is refused: %v", what, value, err)
	case want != "" && err == nil:
		t.Errorf("%s %q is accepted", what, value)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("%s %q: the error is %q, want one with %q", what, value, err, want)
	}
	if err != nil && strings.Contains(err.Error(), "canary") {
		t.Errorf("%s: the error quotes what it refuses", what)
	}
}

func TestCheckID(t *testing.T) {
	for id, want := range map[string]string{
		"project-test-1": "",
		"project-live-1": "",
		"project-test-11111111-1111-4111-8111-111111111111": "",
		"project-live-Ab9-": "",
		"project-test-" + strings.Repeat("a", 256-len("project-test-")): "",
		"project-test-" + strings.Repeat("a", 257-len("project-test-")): "256 bytes",
		"":                      "project id must not be empty",
		"secret-test-canary":    "swapped",
		"p":                     "project-test- or project-live-",
		"project-1":             "project-test- or project-live-",
		"project-test-":         "project-test- or project-live-",
		"project-live-":         "project-test- or project-live-",
		"project-test-a_b.c~":   "letters, digits and hyphens",
		"project-test-canary:x": "letters, digits and hyphens",
		"project-test-a/b":      "letters, digits and hyphens",
		"project-test-a%2f":     "letters, digits and hyphens",
		"project-test-a b":      "letters, digits and hyphens",
		"project-test-a\n":      "letters, digits and hyphens",
		"project-test-a\x00":    "letters, digits and hyphens",
		"project-test-é":        "letters, digits and hyphens",
		"project-test-\xff":     "letters, digits and hyphens",
		`project-test-a"`:       "letters, digits and hyphens",
		"PROJECT-LIVE-1":        "project-test- or project-live-",
		" project-test-1":       "project-test- or project-live-",
		"xproject-live-1":       "project-test- or project-live-",
		"m2m-client-test-1":     "project-test- or project-live-",
	} {
		check(t, "project id", id, CheckID(id), want)
	}
}

func TestCheckSecret(t *testing.T) {
	for text, want := range map[string]string{
		"s":                            "",
		"secret-test-1":                "",
		`s~!"#$%&'()*+,-./:;<=>?@[]^_`: "",
		strings.Repeat("s", 1024):      "",
		strings.Repeat("s", 1025):      "1024",
		"":                             "project secret must not be empty",
		"project-test-canary":          "swapped",
		"project-live-canary":          "swapped",
		"secret-canary\n":              "printable ASCII",
		"secret canary":                "printable ASCII",
		"secret\x00canary":             "printable ASCII",
		"sécret-canary":                "printable ASCII",
		"\xffcanary":                   "printable ASCII",
		"canary" + secret.Placeholder:  "redacted",
	} {
		check(t, "project secret", text, CheckSecret(text), want)
	}
}

func TestCheckCredentials(t *testing.T) {
	for _, c := range []struct{ id, secret, want string }{
		{"project-test-1", "secret-test-1", ""},
		{"", "", "project id"},
		{"secret-test-canary", "project-test-canary", "project id must not be a secret"},
		{"project-test-1", "project-test-1", "project secret must not be a project id"},
	} {
		check(t, "credentials", c.id+" "+c.secret, CheckCredentials(c.id, c.secret), c.want)
	}
}

func TestCheckClient(t *testing.T) {
	for id, want := range map[string]string{
		"m2m-client-test-1":        "",
		"legacy_client.01":         "",
		"a/b?c#d%":                 "",
		"é日本語":                     "",
		strings.Repeat("a", 256):   "",
		strings.Repeat("a", 257):   "256 bytes",
		"":                         "client id must not be empty",
		"project-test-canary":      "project id",
		"project-live-canary":      "project id",
		"secret-test-canary":       "swapped",
		"canary\n":                 "control characters",
		"canary\x00":               "control characters",
		"a canary":                 "spaces",
		"a\u2028canary":            "spaces",
		"\xffcanary":               "UTF-8",
		"m2m-client-test-canary\t": "control characters",
	} {
		check(t, "client id", id, CheckClientID(id), want)
	}
	for text, want := range map[string]string{
		"s":                           "",
		"with a space, é":             "",
		strings.Repeat("s", 1024):     "",
		strings.Repeat("s", 1025):     "1024",
		"":                            "client secret must not be empty",
		"project-live-canary":         "project id",
		"canary\n":                    "control characters",
		"\xffcanary":                  "UTF-8",
		"canary" + secret.Placeholder: "redacted",
	} {
		check(t, "client secret", text, CheckClientSecret(text), want)
	}
}

func TestBaseURL(t *testing.T) {
	for id, want := range map[string]string{"project-live-1": liveURL, "project-test-1": testURL, "": testURL, "x-project-live-1": testURL} {
		if got := BaseURL(id).String(); got != want {
			t.Errorf("%q goes to %s, want %s", id, got, want)
		}
	}
	BaseURL("project-live-1").Host = "canary"
	if BaseURL("project-live-1").Host == "canary" {
		t.Error("callers share a URL")
	}
	if Environment("project-live-1") != "live" || Environment("project-test-1") != "test" {
		t.Error("wrong environment")
	}
}

func TestParse(t *testing.T) {
	const refused = ""
	for address, want := range map[string]struct{ base, exact string }{
		"https://api.stytch.com":           {"https://api.stytch.com", "https://api.stytch.com"},
		"https://api.stytch.com/":          {"https://api.stytch.com", "https://api.stytch.com/"},
		"https://api.stytch.com:/":         {"https://api.stytch.com", "https://api.stytch.com/"},
		"https://h.test:8443/a/b//":        {"https://h.test:8443/a/b", refused},
		"https://h.test:8443/a/b/":         {"https://h.test:8443/a/b", "https://h.test:8443/a/b/"},
		"https://h.test/a%20b/":            {"https://h.test/a%20b", "https://h.test/a%20b/"},
		"http://localhost:8080":            {"http://localhost:8080", "http://localhost:8080"},
		"http://127.0.0.1:1/x":             {"http://127.0.0.1:1/x", "http://127.0.0.1:1/x"},
		"http://[::1]:1":                   {"http://[::1]:1", "http://[::1]:1"},
		"http://[::ffff:127.0.0.1]":        {"http://[::ffff:127.0.0.1]", "http://[::ffff:127.0.0.1]"},
		"http://h.test":                    {}, // in the clear
		"http://127.0.0.1.h.test":          {},
		"http://localhost.h.test":          {},
		"ftp://h.test":                     {},
		"https://":                         {},
		"https:h.test":                     {},
		"//h.test":                         {},
		"":                                 {},
		"https://canary:canary@h.test":     {},
		"https://@h.test":                  {},
		"https://h.test?canary":            {},
		"https://h.test?":                  {},
		"https://h.test#canary":            {},
		"https://h.test#":                  {},
		"https://h.test/a/../b":            {},
		"https://h.test/./b":               {},
		"https://h.test/a/..":              {},
		"https://h.test/a/../":             {},
		"https://h.test/a/%2e%2e/b":        {},
		"https://h.test/a//b":              {},
		"https://h.test/a%2Fb":             {},
		"https://h.test/a%5Cb":             {},
		`https://h.test/a\b`:               {},
		"https://h.test/a%00b":             {},
		"https://h.test/a%0Ab":             {},
		"https://h.test/a\nb":              {},
		"https://h.test/%zz":               {},
		"https://canary:canary@h.test:bad": {},
	} {
		for _, parse := range []struct {
			name string
			want string
			f    func(string) (string, error)
		}{
			{"base URL", want.base, func(a string) (string, error) { u, err := ParseBaseURL(a); return text(u, err) }},
			{"URL", want.exact, func(a string) (string, error) { u, err := ParseURL(a); return text(u, err) }},
		} {
			got, err := parse.f(address)
			switch {
			case parse.want == refused && err == nil:
				t.Errorf("%s %q is accepted", parse.name, address)
			case parse.want == refused && (strings.Contains(err.Error(), "canary") || !strings.HasPrefix(err.Error(), parse.name+" must")):
				t.Errorf("%s %q: the error quotes it, or does not name it", parse.name, address)
			case parse.want != refused && (err != nil || got != parse.want):
				t.Errorf("%s %q: %v, %v, want %s", parse.name, address, got, err, parse.want)
			}
		}
	}
}

func TestParseDomain(t *testing.T) {
	for domain, want := range map[string]string{
		"example.customers.stytch.com": "https://example.customers.stytch.com",
		"Login.Example.COM":            "https://login.example.com",
		"a-1.xn--bcher-kva.example":    "https://a-1.xn--bcher-kva.example",
		"https://canary.example":       "", "canary.example/": "", "canary.example:443": "", "canary.example?x": "", "u:canary@x.example": "",
		"": "", "canary": "", "canary..example": "", ".canary.example": "", "canary.example.": "", "-canary.example": "", "canary-.example": "",
		"canary_1.example": "", "canary example.com": "", "canary.example\n": "", "bücher.canary": "", "127.0.0.1": "", "[::1]": "", "localhost": "",
		strings.Repeat("a", 64) + ".example": "", strings.Repeat("a.", 127) + "example": "",
	} {
		got, err := ParseDomain(domain)
		switch {
		case want == "" && (err == nil || strings.Contains(err.Error(), "canary")):
			t.Errorf("%q: %v, %v", domain, got, err)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%q: %v, %v, want %s", domain, got, err, want)
		}
	}
}

func TestUserAgent(t *testing.T) {
	if !strings.HasPrefix(UserAgent, "stytch-m2m-go/"+Version+" (go") {
		t.Error(UserAgent)
	}
}

func text(u *url.URL, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return u.String(), nil
}
