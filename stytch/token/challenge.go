package token

import (
	"net/http"
	"strings"
)

// rejectsToken reports whether a response rejects the bearer token itself (RFC 6750, section 3.1),
// and not, for example, a request without one.
func rejectsToken(h http.Header) bool {
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
			value, line = parameter(strings.TrimLeft(rest, "= \t")) // more than one is the padding of a token68
			if strings.EqualFold(scheme, "Bearer") && strings.EqualFold(name, "error") && value == "invalid_token" {
				return true
			}
		}
	}
	return false
}

func trim(s string) string { return strings.TrimLeft(s, " \t,") }

// word cuts a token off the front. It accepts more characters than RFC 9110, section 5.6.2.
func word(s string) (head, tail string) {
	end := strings.IndexAny(s, " \t,=\"")
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}

// parameter cuts a value, which may be quoted, off the front.
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
	return "", "" // the quoted string does not end
}
