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
	print := c.fingerprint(raw)
	e := &entry{print: print, keySet: 1}
	c.put(e)
	if c.get(&print, &jwks.Set{Version: 1}) != e {
		t.Error("the token is not remembered")
	}
	if c.get(&print, &jwks.Set{Version: 2}) != nil || c.get(&print, nil) != nil {
		t.Error("a token is accepted without, or with another key set")
	}
}
