package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

const maxRequest = 16 << 10 // bytes of scopes and parameters together

// Request says which token is wanted.
type Request struct {
	// Scopes are the scopes to request, in any order. None requests all scopes of the client.
	Scopes []string
	// Parameters are sent beside the standard ones, for the token template of the project. They are
	// not secret: their values appear in a token that anyone who holds it can read.
	Parameters map[string]string
}

// request is a Request that was checked and brought into the one form that all equal ones share.
type request struct {
	scopes     []string // sorted, without duplicates
	parameters map[string]string
}

func (r Request) normalize() (request, error) {
	size := 0
	for _, scope := range r.Scopes {
		if !isScope(scope) {
			return request{}, errors.New("scope must be printable ASCII without spaces, quotation marks and backslashes")
		}
		size += len(scope) + 1
	}
	for name, value := range r.Parameters {
		switch {
		case name == "" || !utf8.ValidString(name) || !utf8.ValidString(value):
			return request{}, errors.New("parameter must have a name and be valid UTF-8")
		case slices.Contains([]string{"grant_type", "client_id", "client_secret", "scope"}, name):
			return request{}, fmt.Errorf("parameter %q is reserved", name)
		}
		size += len(name) + len(value)
	}
	if size > maxRequest {
		return request{}, fmt.Errorf("scopes and parameters must be at most %d bytes together", maxRequest)
	}
	scopes := slices.Clone(r.Scopes)
	slices.Sort(scopes)
	return request{slices.Compact(scopes), maps.Clone(r.Parameters)}, nil
}

// isScope follows RFC 6749, section 3.3.
func isScope(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// key is different for different requests.
func (r request) key() string { return cacheKey(r.scopes, r.parameters) }

// cacheKey is different for different parts: JSON sorts the parameters and marks where each text
// ends.
func cacheKey(parts ...any) string {
	key, _ := json.Marshal(parts) // strings, and slices and maps of them: this cannot fail
	return string(key)
}
