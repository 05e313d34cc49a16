package baseurl

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for address, want := range map[string]string{
		"https://api.stytch.com":           "https://api.stytch.com",
		"https://api.stytch.com/":          "https://api.stytch.com",
		"https://api.stytch.com:/":         "https://api.stytch.com",
		"https://h.test:8443/a/b//":        "https://h.test:8443/a/b",
		"https://h.test/a%20b/":            "https://h.test/a%20b",
		"http://localhost:8080":            "http://localhost:8080",
		"http://127.0.0.1:1/x":             "http://127.0.0.1:1/x",
		"http://[::1]:1":                   "http://[::1]:1",
		"http://[::ffff:127.0.0.1]":        "http://[::ffff:127.0.0.1]",
		"http://h.test":                    "", // in the clear
		"http://127.0.0.1.h.test":          "",
		"http://localhost.h.test":          "",
		"ftp://h.test":                     "",
		"https://":                         "",
		"https:h.test":                     "",
		"//h.test":                         "",
		"":                                 "",
		"https://canary:canary@h.test":     "",
		"https://h.test?canary":            "",
		"https://h.test?":                  "",
		"https://h.test#canary":            "",
		"https://h.test#":                  "",
		"https://h.test/a/../b":            "",
		"https://h.test/a/%2e%2e/b":        "",
		"https://h.test/a//b":              "",
		"https://h.test/a%2Fb":             "",
		"https://h.test/a%5Cb":             "",
		"https://h.test/%zz":               "",
		"https://canary:canary@h.test:bad": "",
	} {
		got, err := Parse(address)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is accepted", address)
		case want == "" && (strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "base URL")):
			t.Errorf("%q: the error quotes it, or does not name it", address)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%q: %v, %v, want %s", address, got, err, want)
		}
	}
}
