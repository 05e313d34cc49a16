package verify

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/dump"
	"github.com/stytchkit/m2m/internal/jwks"
)

// both are the two ways to compute fingerprints, whatever this machine would choose.
func both(t *testing.T, test func(t *testing.T, make func() fingerprints)) {
	for _, hardware := range []bool{true, false} {
		t.Run(fmt.Sprintf("AES %t", hardware), func(t *testing.T) {
			test(t, func() fingerprints {
				p := newFingerprints(hardware)
				if (p.gcm != nil) != hardware {
					t.Fatal("the other way was taken")
				}
				return p
			})
		})
	}
}

// Whatever differs in a token, a bit, its length or zeros at its end, its fingerprint differs.
func TestFingerprintsDiffer(t *testing.T) {
	both(t, func(t *testing.T, make func() fingerprints) {
		p := make()
		seen := map[fingerprint]string{}
		add := func(what, token string) {
			f := p.of(token)
			if other, ok := seen[f]; ok {
				t.Fatalf("%s and %s have one fingerprint", what, other)
			}
			seen[f] = what
			if again := p.of(strings.Clone(token)); !f.equal(&again) || f.place() != again.place() {
				t.Fatalf("%s has two fingerprints", what)
			}
		}
		token := []byte(rand.Text() + "." + strings.Repeat(rand.Text(), 30) + "." + rand.Text())
		add("the token", string(token))
		for i := range len(token) * 8 {
			token[i/8] ^= 1 << (i % 8)
			add(fmt.Sprint("bit ", i), string(token))
			token[i/8] ^= 1 << (i % 8)
		}
		for n := range len(token) {
			add(fmt.Sprint("the first ", n), string(token[:n]))
		}
		for n := 1; n < 40; n++ { // GHASH pads with zeros, too
			add(fmt.Sprint(n, " zeros more"), string(token)+strings.Repeat("\x00", n))
		}
		blocks := slices.Collect(slices.Chunk(token[:64], 16))
		slices.Reverse(blocks)
		add("blocks in another order", string(slices.Concat(blocks...))+string(token[64:]))
	})
}

// Each cache has a key of its own, so what is learned of one is worth nothing for another, and no
// dump of a verifier shows it.
func TestFingerprintsAreKeyed(t *testing.T) {
	both(t, func(t *testing.T, make func() fingerprints) {
		one, two := make(), make()
		a, b := one.of("header.payload.signature"), two.of("header.payload.signature")
		if a.equal(&b) || a.place() == b.place() {
			t.Error("two caches agree on a fingerprint")
		}
		if one.key != nil && strings.Contains(dump.Text(&one), string(one.key())) {
			t.Error("the key can be printed")
		}
	})
}

// Fingerprints that differ in any byte are not equal, also if they share their place.
func TestFingerprintsOfOnePlace(t *testing.T) {
	c := newCache(10)
	e := &entry{print: c.fingerprint("a.b.c"), keySet: 1}
	c.put(e)
	set := &jwks.Set{Version: 1}
	for i := range 16 {
		other := e.print
		other[i] ^= 1
		if c.get(&other, set) != nil {
			t.Errorf("byte %d does not count", i)
		}
	}
	if c.get(&e.print, set) != e {
		t.Error("the token is not remembered")
	}
}

func TestFingerprintAllocatesNothing(t *testing.T) {
	both(t, func(t *testing.T, make func() fingerprints) {
		p, token := make(), strings.Repeat("x", 900)
		if n := testing.AllocsPerRun(200, func() { p.of(token) }); n > 0 && dump.Used { // the race detector empties pools
			t.Errorf("%v allocations", n)
		}
	})
}

func BenchmarkFingerprint(b *testing.B) {
	token := strings.Repeat("x", 900)
	for _, hardware := range []bool{true, false} {
		p := newFingerprints(hardware)
		b.Run(fmt.Sprintf("AES %t", hardware), func(b *testing.B) {
			for b.Loop() {
				p.of(token)
			}
		})
	}
}
