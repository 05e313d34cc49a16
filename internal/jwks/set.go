// Package jwks fetches, reads and keeps the key set of a Stytch project: the keys that its tokens
// are signed with.
package jwks

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/internal/strictjson"
)

const (
	maxDocument = 256 << 10
	maxKeys     = 64
)

// A Set is keys by id. It never changes.
type Set struct {
	Version uint64 // changes with the keys, within one Cache
	keys    map[string]*Key
	dropped map[string]struct{} // ids of keys that the document has and that cannot be used
	why     []string            // what is wrong with each of these, in the order of the document
}

// Dropped says which keys of the document cannot be used and why, a short line for each. The lines
// hold ids of keys, and nothing else of the document.
func (s *Set) Dropped() []string {
	if s == nil {
		return nil
	}
	return s.why
}

// names reports whether the document has a key with this id, usable or not.
func (s *Set) names(kid string) bool {
	_, dropped := s.dropped[kid]
	return dropped || s.keys[kid] != nil
}

// Key returns nil if the set, which may be nil, has no such key.
func (s *Set) Key(kid []byte) *Key {
	if s == nil {
		return nil
	}
	return s.keys[string(kid)]
}

// Len is the number of usable keys.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.keys)
}

func (s *Set) equal(other *Set) bool {
	if s.Len() != other.Len() {
		return false
	}
	for kid, key := range s.keys {
		if o := other.keys[kid]; o == nil || !key.equal(o) {
			return false
		}
	}
	return true
}

// What is wrong with a document. None of them quotes more of it than ids of keys.
var (
	errTooLarge = errors.New("the key set is too large")
	errNotKeys  = errors.New("the key set has no list of keys")
	errTooMany  = errors.New("the key set has too many keys")
	errEmpty    = errors.New("the key set has no key")
)

// An unusableError says why a document without a usable key has none.
type unusableError struct{ why []string }

func (e *unusableError) Error() string {
	const most = 5
	text := "the key set has no usable key: " + strings.Join(e.why[:min(most, len(e.why))], "; ")
	if more := len(e.why) - most; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// Parse reads a JSON Web Key Set (RFC 7517). It leaves out keys that are not for RS256, that are
// malformed or not public, and different keys with the same id, since it is unclear which one is
// meant. A document without a usable key is an error. A byte order mark, which editors on Windows
// put before it, is skipped.
func Parse(document []byte) (*Set, error) {
	document = bytes.TrimPrefix(document, []byte("\xef\xbb\xbf"))
	if len(document) > maxDocument {
		return nil, errTooLarge
	}
	list, err := listOf(document)
	switch {
	case err != nil:
		return nil, err
	case len(list) > maxKeys:
		return nil, errTooMany
	case len(list) == 0:
		return nil, errEmpty
	}
	set := &Set{keys: make(map[string]*Key, len(list)), dropped: map[string]struct{}{}}
	for i, element := range list {
		kid, key, why := readKey(element)
		if other, known := set.keys[kid]; why == nil && known && (other == nil || !other.equal(key)) {
			key, why = nil, errSameID
			set.keys[kid] = nil // nor can the other one
		}
		if why != nil {
			set.drop(i, kid, why)
			continue
		}
		set.keys[kid] = key
	}
	for kid, key := range set.keys {
		if key == nil {
			delete(set.keys, kid)
		}
	}
	if len(set.keys) == 0 {
		return nil, &unusableError{set.why}
	}
	return set, nil
}

// drop notes that the key at a place of the document cannot be used.
func (s *Set) drop(place int, kid string, why error) {
	name := fmt.Sprintf("number %d", place+1)
	if kid != "" {
		s.dropped[kid] = struct{}{}
		name = `"` + redact.Printable(kid, 64) + `"`
	}
	s.why = append(s.why, "key "+name+": "+why.Error())
}

func listOf(document []byte) ([]strictjson.Value, error) {
	members, err := strictjson.Members(document, nil)
	if err != nil {
		return nil, errors.New("the key set is " + err.Error())
	}
	for _, m := range members {
		if string(m.Name) == "keys" && m.Kind == strictjson.Array {
			return strictjson.Elements(m.Raw, nil)
		}
	}
	return nil, errNotKeys
}
