package jwks

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAbsent(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	a := absent{}
	if a.has("a", now) {
		t.Error("an id was absent before it was added")
	}
	a.add("a", now)
	for after, want := range map[time.Duration]bool{0: true, absentFor - 1: true, absentFor: false} {
		if got := a.has("a", now.Add(after)); got != want {
			t.Errorf("%v after it was added: absent is %t, want %t", after, got, want)
		}
	}
	for length, want := range map[int]bool{maxKeyID: false, maxKeyID + 1: true} {
		if got := a.has(strings.Repeat("k", length), now); got != want {
			t.Errorf("an id of %d bytes: absent is %t, want %t", length, got, want)
		}
	}
	a.add(strings.Repeat("k", maxKeyID+1), now)
	a.add(strings.Repeat("k", maxKeyID), now)
	if len(a) != 2 || !a.has(strings.Repeat("k", maxKeyID), now) {
		t.Errorf("%d ids are remembered, want the 2 that are short enough", len(a))
	}
}

// A full negative cache forgets what is out of date, exactly then, and takes no more until it can.
func TestAbsentIsFull(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	a := absent{}
	for i := range maxAbsent + 1 {
		a.add(fmt.Sprint(i), now)
	}
	if len(a) != maxAbsent || a.has(fmt.Sprint(maxAbsent), now) {
		t.Fatalf("%d ids are remembered, want %d", len(a), maxAbsent)
	}
	a.add("early", now.Add(absentFor-1))
	if len(a) != maxAbsent || a.has("early", now) {
		t.Error("an id was forgotten before its time was over")
	}
	a.add("late", now.Add(absentFor))
	if len(a) != 1 || !a.has("late", now.Add(absentFor)) {
		t.Errorf("%d ids are remembered after the time of all was over, want the new one", len(a))
	}
	// One below the limit, nothing needs to be forgotten.
	b := absent{}
	for i := range maxAbsent - 1 {
		b.add(fmt.Sprint(i), now)
	}
	if b.add("last", now.Add(absentFor)); len(b) != maxAbsent {
		t.Errorf("%d ids are remembered, want %d", len(b), maxAbsent)
	}
}

func TestBucket(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	b := bucket{tokens: burst, at: now}
	take := func(after time.Duration, want ...bool) {
		t.Helper()
		for i, ok := range want {
			if got := b.take(now.Add(after)); got != ok {
				t.Errorf("after %v, number %d: %t, want %t", after, i+1, got, ok)
			}
		}
	}
	take(0, true, true, true, false)
	take(refill-1, false)
	take(refill, true, false)
	take(refill+refill/2, false)
	take(2*refill, true, false) // counted from when a token was due, not from the last look
	take(100*refill, true, true, true, false)
	b.give()
	take(100*refill, true, false)
	for range burst + 1 {
		b.give()
	}
	take(100*refill, true, true, true, false)
}

// The time until the keys that a download lacks are dropped is the earliest of them.
func TestKeptUntil(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	const overlap = 15 * time.Minute
	all := map[string]*Key{"a": {}, "b": {}, "c": {}, "d": {}}
	f := &fetched{set: &Set{Version: 7, keys: map[string]*Key{}}, at: now}
	f.keep(&Set{keys: all}, map[string]time.Time{
		"a": now.Add(-overlap), "b": now.Add(-overlap + 1), "c": now.Add(-time.Minute), "d": now,
	}, now, overlap)
	if len(f.kept) != 3 || f.set.keys["a"] != nil || f.set.keys["b"] == nil || f.set.keys["d"] == nil {
		t.Errorf("kept %v, want b, c and d", f.kept)
	}
	if !f.until.Equal(now.Add(1)) || f.outlived(now) || !f.outlived(now.Add(1)) {
		t.Errorf("kept until %v, want %v", f.until, now.Add(1))
	}
	g := f.without(now.Add(1), overlap)
	if g.set.Version != 8 || g.set.keys["b"] != nil || g.set.keys["c"] == nil || g.set.keys["d"] == nil {
		t.Errorf("version %d with %v, want 8 with c and d", g.set.Version, g.set.keys)
	}
	if !g.at.Equal(f.at) {
		t.Error("taking out old keys made the others newer")
	}
}

// As many kept keys as a key set may have, and no more.
func TestKeptLimit(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	from, seen := &Set{keys: map[string]*Key{}}, map[string]time.Time{}
	for i := range maxKeys + 2 {
		from.keys[fmt.Sprint(i)], seen[fmt.Sprint(i)] = &Key{}, now
	}
	f := &fetched{set: &Set{keys: map[string]*Key{}}, at: now}
	if f.keep(from, seen, now, time.Minute); len(f.kept) != maxKeys || len(f.set.keys) != maxKeys {
		t.Errorf("kept %d, want %d", len(f.kept), maxKeys)
	}
}

// Every download has a version of its own, unless it changes nothing.
func TestVersions(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	var f *fetched
	if f = f.replaced(&Set{keys: map[string]*Key{}}, now, time.Minute); f.set.Version != 1 {
		t.Errorf("first version %d, want 1", f.set.Version)
	}
	same := f.replaced(&Set{keys: map[string]*Key{}}, now.Add(time.Second), time.Minute)
	if same.set != f.set || !same.at.Equal(now.Add(time.Second)) {
		t.Error("the same keys are another set")
	}
	f.set.Version = 5
	key := &Key{}
	if next := f.replaced(&Set{keys: map[string]*Key{"a": key}}, now, time.Minute); next.set.Version != 6 {
		t.Errorf("next version %d, want 6", next.set.Version)
	}
}

// An error names the first keys and counts the others.
func TestUnusableError(t *testing.T) {
	for n, want := range map[int]string{
		1: "the key set has no usable key: w", 5: "; w", 6: "; and 1 more", 7: "; and 2 more",
	} {
		text := (&unusableError{strings.Split(strings.Repeat("w ", n-1)+"w", " ")}).Error()
		if !strings.HasSuffix(text, want) {
			t.Errorf("%d reasons: %q, want the end %q", n, text, want)
		}
	}
	_, err := Parse([]byte(`{"keys":[{"kty":"EC"},{"kty":"EC","kid":"x"}]}`))
	if want := `key number 1: kty is not RSA; key "x": kty is not RSA`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want the end %q", err, want)
	}
}

func TestJitter(t *testing.T) {
	low, high := time.Hour, time.Duration(0)
	for range 1000 {
		d := jitter(time.Minute)
		low, high = min(low, d), max(high, d)
	}
	if low < 48*time.Second || low > 54*time.Second || high < 66*time.Second || high >= 72*time.Second {
		t.Errorf("from %v to %v, want 48 s to 72 s", low, high)
	}
}
