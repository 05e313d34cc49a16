package token

import (
	"net/http"
	"strings"
)

// refusesToken reports whether an answer says that the bearer token is the trouble (RFC 6750, section 3.1), rather than, say,
// the lack of one.
func refusesToken(h http.Header) bool {
	for _, line := range h.Values("WWW-Authenticate") {
		scheme := ""
		for line = trim(line); line != ""; line = trim(line) {
			var name, value string
			if name, line = word(line); name == "" {
				break // not a list of challenges
			}
			rest := strings.TrimLeft(line, " \t")
			if !strings.HasPrefix(rest, "=") {
				scheme = name
				continue
			}
			value, line = parameter(strings.TrimLeft(rest, "= \t")) // several: padding of a token68
			if strings.EqualFold(scheme, "Bearer") && strings.EqualFold(name, "error") && value == "invalid_token" {
				return true
			}
		}
	}
	return false
}

func trim(s string) string { return strings.TrimLeft(s, " \t,") }

// word cuts a token of RFC 9110, section 5.6.2, or a bit more, off the front.
func word(s string) (head, tail string) {
	end := strings.IndexAny(s, " \t,=\"")
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}

// parameter cuts a value off the front, which may be quoted.
func parameter(s string) (value, tail string) {
	if !strings.HasPrefix(s, `"`) {
		return word(s)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:]
		case '\\':
			if i++; i == len(s) {
				return "", ""
			}
		}
		b.WriteByte(s[i])
	}
	return "", "" // it does not end
}
