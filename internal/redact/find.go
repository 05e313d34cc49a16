package redact

import "unicode/utf8"

const (
	window = 8 // consecutive bytes that reveal a secret
	tiny   = 4 // a shorter secret is found only where it stands alone
)

// patterns are what the spellings of a set of secrets are found by.
type patterns struct {
	windows map[[window]byte]struct{} // of all long spellings
	short   map[int]map[string]bool   // spellings that are found as a whole only, by length; true if they must stand alone
}

func compile(secrets []string) *patterns {
	p := &patterns{windows: map[[window]byte]struct{}{}, short: map[int]map[string]bool{}}
	for _, s := range secrets {
		spellings(s, func(spelling string) { p.add(spelling, len(s) < tiny) })
	}
	return p
}

func (p *patterns) add(spelling string, alone bool) {
	if len(spelling) < window || alone {
		p.addShort(spelling, alone)
		return
	}
	for i := 0; i+window <= len(spelling); i++ {
		p.windows[[window]byte([]byte(spelling[i:i+window]))] = struct{}{}
	}
}

// addShort adds a spelling that is found as a whole only. Its length is bounded, so that there are
// few lengths.
func (p *patterns) addShort(spelling string, alone bool) {
	if spelling == "" {
		return
	}
	same := p.short[len(spelling)]
	if same == nil {
		same = map[string]bool{}
		p.short[len(spelling)] = same
	}
	before, ok := same[spelling]
	same[spelling] = alone && (before || !ok)
}

// find returns, for each byte of each text, whether it belongs to a secret, or nil if none does.
func (r *Redactor) find(texts ...string) [][]bool {
	var found [][]bool
	for ; r != nil; r = r.before {
		if r.patterns == nil {
			continue
		}
		p := r.patterns()
		for t, text := range texts {
			p.each(text, func(at, n int) {
				if found == nil {
					found = make([][]bool, len(texts))
					for i := range texts {
						found[i] = make([]bool, len(texts[i]))
					}
				}
				for i := range n {
					found[t][at+i] = true
				}
			})
		}
	}
	for t := range found {
		wholeRunes(texts[t], found[t])
	}
	return found
}

// each calls yield with the place and the length of every pattern in a text.
func (p *patterns) each(text string, yield func(at, n int)) {
	for i := 0; i+window <= len(text); i++ {
		if _, ok := p.windows[[window]byte([]byte(text[i:i+window]))]; ok {
			yield(i, window)
		}
	}
	for n, spellings := range p.short {
		for i := 0; i+n <= len(text); i++ {
			alone, ok := spellings[text[i:i+n]]
			if ok && !(alone && (i > 0 && isWord(text[i-1]) || i+n < len(text) && isWord(text[i+n]))) {
				yield(i, n)
			}
		}
	}
}

// isWord reports whether a byte is part of a letter or digit. Every byte that is not ASCII counts
// as one.
func isWord(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b >= utf8.RuneSelf
}

// wholeRunes hides the rest of a character of which a part is hidden, so that valid UTF-8 stays
// valid.
func wholeRunes(text string, hidden []bool) {
	for i := 0; i < len(text); {
		_, n := utf8.DecodeRuneInString(text[i:])
		any := false
		for j := i; j < i+n; j++ {
			any = any || hidden[j]
		}
		for j := i; any && j < i+n; j++ {
			hidden[j] = true
		}
		i += n
	}
}
