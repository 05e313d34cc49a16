package token

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Request is what a token is asked for with.
type Request struct {
	// Scopes are those to ask for, in any order. None asks for all that the client has.
	Scopes []string
	// Parameters are sent beside the standard ones, for the token template of the project. They are not secret: their
	// values end up in a token that anyone can read.
	Parameters map[string]string
}

// request is a Request that was checked, and brought to the one form that all equal ones have.
type request struct {
	scopes     []string // sorted, without repetition
	parameters map[string]string
}

const maxRequest = 16 << 10 // bytes of scopes and parameters together

func (r Request) normal() (request, error) {
	size := 0
	for _, scope := range r.Scopes {
		if !isScope(scope) {
			return request{}, invalid("", "a scope must be printable ASCII without spaces, quotation marks and backslashes")
		}
		size += len(scope) + 1
	}
	for name, value := range r.Parameters {
		switch {
		case name == "" || !utf8.ValidString(name) || !utf8.ValidString(value):
			return request{}, invalid("", "a parameter must have a name and be valid UTF-8")
		case slices.Contains([]string{"grant_type", "client_id", "client_secret", "scope"}, name):
			return request{}, invalid("", "parameter %s is not the caller's to set", name)
		}
		size += len(name) + len(value)
	}
	if size > maxRequest {
		return request{}, invalid("", "scopes and parameters must not be larger than %d bytes together", maxRequest)
	}
	scopes := slices.Clone(r.Scopes)
	slices.Sort(scopes)
	return request{slices.Compact(scopes), maps.Clone(r.Parameters)}, nil
}

// isScope follows RFC 6749, section 3.3.
func isScope(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// key tells requests apart. JSON puts the parameters into one order, and no two different requests into the same text.
func (r request) key() string { return cacheKey(r.scopes, r.parameters) }

func cacheKey(parts ...any) string {
	key, _ := json.Marshal(parts) // strings, and slices and maps of them: this cannot fail
	return string(key)
}
