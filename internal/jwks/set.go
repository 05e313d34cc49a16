// Package jwks fetches, reads and keeps the key set of a Stytch project: the keys that its tokens
// are signed with.
package jwks

import (
	"errors"

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

// What is wrong with a document. None of them quotes it.
var (
	errTooLarge = errors.New("the key set is too large")
	errNotKeys  = errors.New("the key set has no list of keys")
	errTooMany  = errors.New("the key set has too many keys")
	errNoKey    = errors.New("the key set has no usable key")
)

// Parse reads a JSON Web Key Set (RFC 7517). It leaves out keys that are not for RS256, that are
// malformed or not public, and different keys with the same id, since it is unclear which one is
// meant. A document without a usable key is an error.
func Parse(document []byte) (*Set, error) {
	if len(document) > maxDocument {
		return nil, errTooLarge
	}
	list, err := listOf(document)
	if err != nil {
		return nil, err
	}
	if len(list) > maxKeys {
		return nil, errTooMany
	}
	set := &Set{keys: make(map[string]*Key, len(list))}
	for _, element := range list {
		kid, key := readKey(element)
		if key == nil {
			continue
		}
		if other, known := set.keys[kid]; known && (other == nil || !other.equal(key)) {
			key = nil
		}
		set.keys[kid] = key
	}
	for kid, key := range set.keys {
		if key == nil {
			delete(set.keys, kid)
		}
	}
	if len(set.keys) == 0 {
		return nil, errNoKey
	}
	return set, nil
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
