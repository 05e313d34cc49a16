package redact

import "unicode/utf8"

const (
	window = 8 // bytes in a row that show a secret
	tiny   = 4 // bytes below which a secret is taken for one only where it stands alone
)

// find says of each byte of each text whether it belongs to a secret. It returns nil if none does.
//
// The texts are indexed once, and the spellings of the secrets are looked up in the index.
func (r *Redactor) find(texts ...string) [][]bool {
	secrets := r.known()
	if len(secrets) == 0 {
		return nil
	}
	f := newFinder(texts)
	for _, s := range secrets {
		spellings(s, func(spelling string) { f.look(spelling, len(s) < tiny) })
	}
	f.lookShort()
	if !f.found {
		return nil
	}
	for i, text := range texts {
		wholeRunes(text, f.hidden[i])
	}
	return f.hidden
}

// place is where something stands in the texts.
type place struct{ text, at int }

// finder looks for many spellings in a set of texts.
type finder struct {
	texts  []string
	hidden [][]bool
	found  bool

	windows map[[window]byte]int // index in places of the last window with this content
	places  []chained

	short map[int]map[string]bool // the spellings that are looked for as a whole, by length; true if they must stand alone
}

// chained is a place of a window, and the index of the one before it with the same content, -1 if there is none.
type chained struct {
	place
	before int
}

func newFinder(texts []string) *finder {
	total := 0
	for _, text := range texts {
		total += max(0, len(text)-window+1)
	}
	f := &finder{texts: texts, hidden: make([][]bool, len(texts)), windows: make(map[[window]byte]int, total), places: make([]chained, 0, total)}
	for t, text := range texts {
		f.hidden[t] = make([]bool, len(text))
		for i := 0; i+window <= len(text); i++ {
			content := [window]byte([]byte(text[i : i+window]))
			before, ok := f.windows[content]
			if !ok {
				before = -1
			}
			f.windows[content] = len(f.places)
			f.places = append(f.places, chained{place{t, i}, before})
		}
	}
	return f
}

// look hides every window of a spelling. A shorter one is remembered for [finder.lookShort].
func (f *finder) look(spelling string, alone bool) {
	if len(spelling) < window || alone {
		f.remember(spelling, alone)
		return
	}
	for i := 0; i+window <= len(spelling); i++ {
		content := [window]byte([]byte(spelling[i : i+window]))
		at, ok := f.windows[content]
		if !ok {
			continue
		}
		delete(f.windows, content) // hidden once is enough
		for ; at >= 0; at = f.places[at].before {
			f.hide(f.places[at].place, window)
		}
	}
}

// remember keeps a spelling that is found as a whole only. Its length is bounded, so that there are few lengths.
func (f *finder) remember(spelling string, alone bool) {
	if spelling == "" {
		return
	}
	if f.short == nil {
		f.short = map[int]map[string]bool{}
	}
	same := f.short[len(spelling)]
	if same == nil {
		same = map[string]bool{}
		f.short[len(spelling)] = same
	}
	before, ok := same[spelling]
	same[spelling] = alone && (before || !ok)
}

// lookShort hides the spellings that were remembered.
func (f *finder) lookShort() {
	for n, spellings := range f.short {
		for t, text := range f.texts {
			for i := 0; i+n <= len(text); i++ {
				alone, ok := spellings[text[i:i+n]]
				if ok && !(alone && (i > 0 && isWord(text[i-1]) || i+n < len(text) && isWord(text[i+n]))) {
					f.hide(place{t, i}, n)
				}
			}
		}
	}
}

func (f *finder) hide(p place, n int) {
	f.found = true
	for i := range n {
		f.hidden[p.text][p.at+i] = true
	}
}

// isWord reports whether a byte is of a letter or digit. All that is not ASCII counts as one.
func isWord(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b >= utf8.RuneSelf
}

// wholeRunes hides the rest of a character of which a part is hidden: valid UTF-8 stays valid.
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
