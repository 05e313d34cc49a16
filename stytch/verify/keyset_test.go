package verify

import (
	"testing"

	"github.com/stytchkit/m2m/internal/jwks"
)

// An entry counts only with the key set that it was verified with. A verification that began before
// the keys changed may put its entry into the cache after that.
func TestCacheOfAnotherKeySet(t *testing.T) {
	c := newCache(10)
	const raw = "header.payload.signature"
	e := &entry{sum: sumOf(raw), keySet: 1}
	c.put(raw, e)
	if c.get(raw, &jwks.Set{Version: 1}) != e {
		t.Error("the token is not remembered")
	}
	if c.get(raw, &jwks.Set{Version: 2}) != nil || c.get(raw, nil) != nil {
		t.Error("a token is accepted without, or with another key set")
	}
}
