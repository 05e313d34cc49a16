package verify

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/jwks"
)

// remember adds an entry that takes about n bytes.
func remember(c *cache, raw string, n int) *entry {
	e := &entry{print: c.fingerprint(raw), keySet: 1, Claims: Claims{custom: strings.Repeat("x", n-320)}}
	c.put(e)
	return e
}

func (c *cache) has(e *entry) bool { return c.get(&e.print, &jwks.Set{Version: e.keySet}) == e }

// An entry counts only with the key set that it was verified with. A verification that began before
// the keys changed may put its entry into the cache after that.
func TestCacheOfAnotherKeySet(t *testing.T) {
	c := newCache(10)
	e := remember(c, "header.payload.signature", 400)
	if !c.has(e) {
		t.Error("the token is not remembered")
	}
	if c.get(&e.print, &jwks.Set{Version: 2}) != nil || c.get(&e.print, nil) != nil {
		t.Error("a token is accepted without, or with another key set")
	}
}

// Whatever a token holds is counted, so that no kind of token takes more memory than it should.
func TestEntrySize(t *testing.T) {
	for name, test := range map[string]struct {
		claims Claims
		want   int64
	}{
		"nothing":        {Claims{}, 320},
		"a subject":      {Claims{Subject: "1234", ClientID: "1234"}, 324}, // which share their bytes
		"another client": {Claims{Subject: "1234", ClientID: "123"}, 327},
		"scopes":         {Claims{Scope: "12345"}, 325},
		"an id":          {Claims{ID: "123456"}, 326},
		"custom claims":  {Claims{custom: "1234567"}, 327},
		"all of them":    {Claims{Subject: "1", ClientID: "12", Scope: "1", ID: "1", custom: "1"}, 326},
		"one audience":   {Claims{audience: []string{"1234"}}, 320}, // the project, which all share
		"two audiences":  {Claims{audience: []string{"1234", "12"}}, 320 + 2*16 + 6},
	} {
		if n := (&entry{Claims: test.claims}).size(); n != test.want {
			t.Errorf("%s: %d bytes, want %d", name, n, test.want)
		}
	}
}

// The cache may be filled to the last byte and entry, and makes room for what comes later.
func TestCacheMakesRoom(t *testing.T) {
	c := newCache(2)
	old, last := remember(c, "a", 1024), remember(c, "b", 1024)
	if !c.has(old) || !c.has(last) || c.bytes.Load() != 2048 {
		t.Errorf("not both of the tokens that fit are remembered: %d bytes", c.bytes.Load())
	}
	for i := range 50 {
		last = remember(c, fmt.Sprint(i), 400)
		if !c.has(last) || c.entries.Load() != 2 || c.bytes.Load() > 2048 {
			t.Fatalf("the last token is remembered: %t; %d entries of %d bytes", c.has(last), c.entries.Load(), c.bytes.Load())
		}
	}
	if large := remember(c, "whole", 2048); !c.has(large) || c.entries.Load() != 1 {
		t.Errorf("a token that takes the whole cache is remembered: %t, among %d", c.has(large), c.entries.Load())
	}
	if larger := remember(c, "larger", 2049); c.has(larger) || c.entries.Load() != 1 {
		t.Errorf("a token that is too large is remembered: %t, among %d", c.has(larger), c.entries.Load())
	}
	c.clear()
	if c.entries.Load() != 0 || c.bytes.Load() != 0 {
		t.Errorf("%d entries of %d bytes are left", c.entries.Load(), c.bytes.Load())
	}
}

// The results of active checks are bounded. Those that are too old go first.
func TestActiveChecksMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newActiveChecks(func(context.Context, string) (bool, error) { return true, nil }, newWatch(nil))
		defer a.close()
		check := func(first, n int) {
			t.Helper()
			for i := range n {
				if err := a.check(t.Context(), fmt.Sprint(first+i)); err != nil {
					t.Fatal(err)
				}
			}
		}
		check(0, activeMaxKnown-3)
		time.Sleep(activeFor)
		check(activeMaxKnown, 3)
		if len(a.lookups) != activeMaxKnown {
			t.Fatalf("%d results are kept, want all", len(a.lookups))
		}
		check(2*activeMaxKnown, 1)
		if len(a.lookups) != 4 {
			t.Fatalf("%d results are kept, want the four that are good", len(a.lookups))
		}
		check(3*activeMaxKnown, activeMaxKnown+10)
		if len(a.lookups) != activeMaxKnown {
			t.Errorf("%d results are kept, want %d", len(a.lookups), activeMaxKnown)
		}
	})
}
