package redact

import (
	"encoding/base64"
	"strings"
	"testing"
)

// What is printed on one line is exactly as long as its limit allows, and never cut inside of a
// character.
func TestPrintableLimits(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"abcdef", 0, "abcdef"},
		{"abcdef", -1, "abcdef"},
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "ab…"},
		{"abcdef", 4, "a…"},
		{"abcdef", 3, "…"},
		{"abcdef", 2, "ab"},
		{"abcdef", 1, "a"},
		{"ääää", 7, "ää…"},
		{"ääää", 6, "ä…"},
		{"ääää", 2, "ä"},
		{"ääää", 1, ""},
		{"a\nb\u202ec", 0, "a b c"},
		{"a\xffb", 0, "a\ufffdb"},
	} {
		if got := Printable(test.text, test.limit); got != test.want {
			t.Errorf("Printable(%q, %d) = %q, want %q", test.text, test.limit, got, test.want)
		}
	}
}

// Escapes change their case as a whole, wherever in the text they are, and nothing else does.
func TestEscapeCases(t *testing.T) {
	for text, want := range map[string]string{
		`\u00ab`:         `\u00AB`,
		`x\u00abcdef`:    `x\u00ABcdef`,
		`\u00ab\u00cd`:   `\u00AB\u00CD`,
		`\\u00ab`:        `\\u00ab`, // an escaped backslash, then text
		`\n\u00ab\"`:     `\n\u00AB\"`,
		`\u00a`:          `\u00a`,
		`ab`:             `ab`,
		`\`:              `\`,
		`\u00ab\u00`:     `\u00AB\u00`,
		`\/\u00ef\u00ff`: `\/\u00EF\u00FF`,
	} {
		if got := upperEscapes(text); got != want {
			t.Errorf("upperEscapes(%q) = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"%AB": "%ab", "x%ABC": "x%abC", "%AB%CD": "%ab%cd", "%A": "%A", "%": "%", "AB": "AB", "%%AB": "%%aB", "%25AB": "%25AB",
	} {
		if got := lowerEscapes(text); got != want {
			t.Errorf("lowerEscapes(%q) = %q, want %q", text, got, want)
		}
	}
}

// What within returns is in the base64 of every text around s, and no character fewer than that.
func TestWithin(t *testing.T) {
	const s = "Correct-Horse-9"
	for length := range len(s) + 1 {
		for shift := range 3 {
			got := within(base64.RawStdEncoding, s[:length], shift)
			common := ""
			for i, around := range []string{"\x00\x00\x00", "\xff\xff\xff", "\x55\xaa\x55"} {
				encoded := base64.RawStdEncoding.EncodeToString([]byte(around[:shift] + s[:length] + around))
				if !strings.Contains(encoded, got) {
					t.Errorf("%q after %d bytes: %q is not in %q", s[:length], shift, got, encoded)
				}
				if i == 0 {
					common = encoded
				} else {
					common = same(common, encoded)
				}
			}
			if want := strings.Trim(common, "*"); len(got) < len(want) {
				t.Errorf("%q after %d bytes: %q, want %q", s[:length], shift, got, want)
			}
		}
	}
}

// same has a star where a and b differ.
func same(a, b string) string {
	out := []byte(a[:min(len(a), len(b))])
	for i := range out {
		if a[i] != b[i] {
			out[i] = '*'
		}
	}
	return string(out)
}

func TestIsPlain(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "azAZ09-_": true, "a.b": false, "a b": false, "ä": false, "a\x80": false, "a\x7f": false, "a/b": false, "@": false, "[": false, "`": false, "{": false,
	} {
		if got := isPlain(text); got != want {
			t.Errorf("isPlain(%q) = %t, want %t", text, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for text, want := range map[string]string{
		``:                 ``,
		`1`:                `1`,
		`"a"`:              `<"a">`,
		`["a","b"]`:        `[<"a">,<"b">]`,
		`{"a\"b":"\\"}`:    `{<"a\"b">:<"\\">}`,
		`[1,"\\\"x",null]`: `[1,<"\\\"x">,null]`,
	} {
		var b strings.Builder
		for _, p := range split([]byte(text)) {
			if p.from >= p.to {
				t.Errorf("%s: an empty part at %d", text, p.from)
			}
			if p.quoted {
				b.WriteString("<" + text[p.from:p.to] + ">")
			} else {
				b.WriteString(text[p.from:p.to])
			}
		}
		if b.String() != want {
			t.Errorf("%s: %s, want %s", text, b.String(), want)
		}
	}
}

// A redactor without secrets knows that it is one, also as the second of two.
func TestEmpty(t *testing.T) {
	for name, test := range map[string]struct {
		r    *Redactor
		want bool
	}{
		"nil": {nil, true}, "zero": {&Redactor{}, true}, "nothing": {New(), true}, "empty text": {New(""), true}, "two of nothing": {New().With(""), true},
		"one": {New("secret-1"), false}, "one, then nothing": {New("secret-1").With(), false}, "nothing, then one": {New("").With("secret-1"), false},
	} {
		if got := test.r.empty(); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
	one := New("secret-1")
	if one.With("") != one {
		t.Error("a redactor without new secrets is a new one")
	}
}

// A secret at either edge of a long text is hidden, although the text is cut before it is searched.
func TestLineEdges(t *testing.T) {
	const secret = "Correct-Horse-Battery-9"
	r := New(secret)
	for limit := 1; limit < 60; limit++ {
		for offset := range 4*limit + 4*Margin {
			text := strings.Repeat("x", offset) + secret + strings.Repeat("y", 300)
			line := r.Line(text, limit)
			if len(line) > limit {
				t.Fatalf("limit %d, offset %d: %d bytes", limit, offset, len(line))
			}
			if r.Found(line) {
				t.Fatalf("limit %d, offset %d: %q shows a part of the secret", limit, offset, line)
			}
		}
	}
}
