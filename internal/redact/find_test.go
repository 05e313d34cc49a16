package redact

import "testing"

// A tiny secret is hidden where it stands alone, and not inside of a word.
func TestWordsAround(t *testing.T) {
	for _, c := range []byte("azAZ09") {
		if !isWord(c) {
			t.Errorf("%q is not part of a word", c)
		}
	}
	for _, c := range []byte("`{@[/: _-") { // those next to the ranges in ASCII, too
		if isWord(c) {
			t.Errorf("%q is part of a word", c)
		}
	}
	for c := 0x80; c < 0x100; c++ {
		if !isWord(byte(c)) {
			t.Errorf("byte %#x is not part of a word", c)
		}
	}
	if isWord(0x7f) {
		t.Error("0x7f is part of a word")
	}
}

// A spelling that is exactly as long as the window is found, too.
func TestSpellingOfOneWindow(t *testing.T) {
	p := &patterns{windows: map[[window]byte]struct{}{}, short: map[int]map[string]bool{}}
	exact := "0123456789abcdef"[:window]
	p.add(exact, false)
	if len(p.windows) != 1 || len(p.short) != 0 {
		t.Errorf("%d windows, %d lengths of short spellings", len(p.windows), len(p.short))
	}
}
