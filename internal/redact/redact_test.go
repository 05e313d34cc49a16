package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// hard has every character that one of the encoders escapes. It is longer than two base64 groups
// between any two of them.
const hard = `p/q+r=s&t<u>v"w\x'y z%é~😀#ä?0123456789`

// written is how encoders write a secret, each independent of the package. The text around it is
// left out.
func written(s string) map[string]string {
	quote := func(text string) string { q := strconv.Quote(text); return q[1 : len(q)-1] }
	inJSON, _ := json.Marshal(s)
	twice, _ := json.Marshal(string(inJSON))
	forms := map[string]string{
		"plain":            s,
		"query":            url.QueryEscape(s),
		"query, space %20": strings.ReplaceAll(url.QueryEscape(s), "+", "%20"),
		"path":             url.PathEscape(s),
		"%q":               quote(s),
		"%+q":              fmt.Sprintf("%+q", s),
		"JSON":             string(inJSON[1 : len(inJSON)-1]),
		"JSON in JSON":     string(twice),
		"%q of JSON":       quote(string(inJSON)),
		"HTML":             html.EscapeString(s),
		"hex":              hex.EncodeToString([]byte(s)),
		"HEX":              strings.ToUpper(hex.EncodeToString([]byte(s))),
		"Basic":            base64.StdEncoding.EncodeToString([]byte("project-1:" + url.QueryEscape(s))),
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			forms[fmt.Sprintf("base64 %p shift %d", e, shift)] = e.EncodeToString([]byte("xyz"[:shift] + s))
			forms[fmt.Sprintf("base64 of JSON %p shift %d", e, shift)] = e.EncodeToString([]byte("xyz"[:shift] + string(inJSON)))
		}
	}
	return forms
}

// survives reports whether eight bytes of a spelling are still in a text. The bytes at the edges of
// base64 are made of what surrounds the secret, too.
func survives(text, spelling string) bool {
	text = strings.ReplaceAll(text, secret.Placeholder, "\x00")
	for i := 0; i+8 <= len(spelling); i++ {
		if strings.Contains(text, spelling[i:i+8]) {
			return true
		}
	}
	return false
}

func TestSpellings(t *testing.T) {
	for _, s := range []string{"plain-secret_0123456789", hard, strings.Repeat(`<"/`, 8), strings.Repeat("é", 12), "a b\tc d e f g h"} {
		r := New("another-one", s)
		for name, form := range written(s) {
			core := form
			if strings.HasPrefix(name, "base64") || name == "Basic" {
				core = strings.TrimRight(form[min(len(form), 2):], "=")
				core = core[:len(core)-1]
			}
			if name == "Basic" {
				core = core[len("cHJvamVjdC0xOg=="):]
			}
			text := "before " + form + " after"
			if strings.Contains(name, "base64 of JSON") {
				core = core[2 : len(core)-2] // without the quotes
			}
			if survives(r.Text(text), core) {
				t.Errorf("%s of %q: %q", name, s, r.Text(text))
			}
			if got := r.Text(text); !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
				t.Errorf("%s of %q takes more than the secret: %q", name, s, got)
			}
		}
	}
}

func TestOtherEncoders(t *testing.T) {
	for spelling, s := range map[string]string{
		`a\/b\/c\/d\/e`:                        "a/b/c/d/e", // PHP
		`\u00e9\u00e8\ud83d\ude00\u00e9\u00e8`: "éè😀éè",     // Python
		`\u00E9\u00E8\uD83D\uDE00\u00E9\u00E8`: "éè😀éè",
		`a\u003Cb\u003Cc\u003Cd`:               "a<b<c<d",
		`a%2fb%2fc%2fd`:                        "a/b/c/d",
		`a&quot;b&#x27;c&quot;d`:               `a"b'c"d`,
	} {
		if got := New(s).Text(">" + spelling + "<"); got != ">"+secret.Placeholder+"<" {
			t.Errorf("%s: %s", spelling, got)
		}
	}
}

func TestText(t *testing.T) {
	const p = secret.Placeholder
	for _, c := range []struct {
		secrets    []string
		text, want string
	}{
		{nil, "nothing to hide", "nothing to hide"},
		{[]string{""}, "nothing to hide", "nothing to hide"},
		{[]string{"0123456789"}, "", ""},
		{[]string{"0123456789"}, "a0123456789b", "a" + p + "b"},
		{[]string{"0123456789"}, "01234567890123456789", p},
		{[]string{"0123456789"}, "0123456789 0123456789", p + " " + p},
		{[]string{"0123456789"}, "cut: 12345678", "cut: " + p},
		{[]string{"0123456789"}, "too short to tell: 1234567", "too short to tell: 1234567"},
		{[]string{"0123456789"}, "wrapped: 01234567\n89", "wrapped: " + p + "\n89"},
		{[]string{"0123456789", "0123456789abcdef"}, "0123456789abcdef", p}, // one secret is part of the other
		{[]string{"0123456789abcdef", "0123456789"}, "0123456789abcdef", p},
		{[]string{"abcdefgh", "efghijkl"}, "abcdefghijkl", p},
		{[]string{"hunter2"}, "the password hunter2, or hunter2hunter2", "the password " + p + ", or " + p},
		{[]string{"hunter2"}, "in hex 68756e74657232", "in hex " + p},
		{[]string{"hunter2"}, "only a piece: hunter", "only a piece: hunter"},
		{[]string{"abcd"}, "xabcdx", "x" + p + "x"},
		{[]string{"abc"}, `xabc "abc" abcx abc=abc éabc`, `xabc "` + p + `" abcx ` + p + "=" + p + " éabc"},
		{[]string{"s"}, "status: s", "status: " + p},
		{[]string{"<>"}, "%3C%3E &lt;&gt;", p + " " + p},
		{[]string{"éééé"}, "\xa9éééé\xc3", "\xa9" + p + "\xc3"},
		{[]string{"aaaaaaaa\xe2\x82"}, "aaaaaaaa\u20ac", p}, // the rest of a character goes with its beginning
	} {
		if got := New(c.secrets...).Text(c.text); got != c.want {
			t.Errorf("%q: %q becomes %q, want %q", c.secrets, c.text, got, c.want)
		}
	}
	var none *Redactor
	if none.Text("text") != "text" || (&Redactor{}).Text("text") != "text" || none.Found("text") {
		t.Error("a redactor without secrets changes a text")
	}
	first := New("0123456789")
	both := first.With("abcdefghij", "")
	if both.Text("0123456789 abcdefghij") != p+" "+p || first.Text("abcdefghij") != "abcdefghij" {
		t.Error("With does not add, or changes the redactor it is called on")
	}
}

// Where a text was cut, no recognizable piece of a secret may stay.
func TestPart(t *testing.T) {
	const s = "0123456789abcdef"
	r := New(s)
	text := strings.Repeat(".", 20) + s + strings.Repeat(".", 20)
	for to := range len(text) {
		if got := r.Part(text[:min(len(text), to+Margin)], 0, to); strings.ContainsAny(strings.ReplaceAll(got, secret.Placeholder, ""), s) {
			t.Errorf("cut at %d: %q", to, got)
		}
		from := to
		if got := r.Part(text[max(0, from-Margin):], min(from, Margin), len(text)-max(0, from-Margin)); strings.ContainsAny(strings.ReplaceAll(got, secret.Placeholder, ""), s) {
			t.Errorf("cut before %d: %q", from, got)
		}
	}
	for n := range 60 {
		for limit := 1; limit < 40; limit++ {
			line := r.Line(strings.Repeat(".", n)+s+" and more"+strings.Repeat(".", n), limit)
			if len(line) > limit || survives(line, s) || strings.Contains(line, "0") || strings.Contains(line, "f") {
				t.Errorf("%d bytes for %d: %q", len(line), limit, line)
			}
		}
	}
}

func TestLine(t *testing.T) {
	const p = secret.Placeholder
	r := New("two words", "0123456789")
	for text, want := range map[string]string{
		"plain":                         "plain",
		"a\nb\r\tc\x00d\x7f":            "a b  c d ",
		"two\nwords":                    p, // a line break in place of the space
		"right \u202eto left\u2028line": "right  to left line",
		"bad \xff\xfe bytes":            "bad \uFFFD bytes",
		"0123\n456789":                  "0123 456789",
	} {
		if got := r.Line(text, 1000); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := New().Line(strings.Repeat("é", 100), 20); len(got) > 20 || !strings.HasSuffix(got, "é…") {
		t.Errorf("%q", got)
	}
	if got := Printable("a\nb", 0); got != "a b" {
		t.Errorf("%q", got)
	}
	if got := Printable("abcdef", 2); got != "ab" {
		t.Errorf("%q", got)
	}
}

// Many secrets and a long text: with the product of both this would take minutes.
func TestCost(t *testing.T) {
	var secrets []string
	for i := range 500 {
		secrets = append(secrets, fmt.Sprintf("secret number %d, %x", i, i*i), fmt.Sprintf("s%04d", i))
	}
	text := strings.Repeat("a", 1<<17) + secrets[500]
	start := time.Now()
	if survives(New(secrets...).Text(text), secrets[500]) {
		t.Error("not found")
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestPrintsNothing(t *testing.T) {
	r := New("canary-0123456789")
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(format+format, r, *r); survives(text, "canary-0123456789") || survives(text, hex.EncodeToString([]byte("canary"))) {
			t.Errorf("%s shows the secrets", format)
		}
	}
}
