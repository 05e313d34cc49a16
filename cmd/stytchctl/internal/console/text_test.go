package console

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"Billing worker":     "Billing worker",
		"Größe 東京":           "Größe 東京",
		"\u202egnp.exe":      "⟨U+202E⟩gnp.exe",
		"a\u200fb\u2066c":    "a⟨U+200F⟩b⟨U+2066⟩c",
		"nul\x00 esc\x1b[0m": "nul⟨U+0000⟩ esc⟨U+001B⟩[0m",
		"\xff":               "⟨U+FFFD⟩",
		"a\u2028b":           "a⟨U+2028⟩b",
		"two\nlines":         "two\nlines",
	} {
		if got := visible(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := cell("two\nlines"); got != "two lines" {
		t.Errorf("cell: %q", got)
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("\u202e<script>\x00")
	f.Fuzz(func(t *testing.T, text string) {
		got := visible(text)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\u202e\u2066\u200f\u2028\x00\x1b") {
			t.Errorf("%q becomes %q", text, got)
		}
		if n := utf8.RuneCountInString(cell(text)); n > cellLength+1 {
			t.Errorf("%q becomes %d characters", text, n)
		}
	})
}

func TestProse(t *testing.T) {
	const want = "<p>Use <code>&lt;b&gt;</code> &amp; more.</p><p>Second.</p>"
	if got := string(prose("Use `<b>` & more.\n\nSecond.\n")); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := count(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "less than a second", time.Second: "1 second", 61 * time.Second: "1 minute 1 second", 25 * time.Hour: "1 day 1 hour",
		-90 * time.Minute: "1 hour 30 minutes", 24*time.Hour + time.Second: "1 day", 800 * 24 * time.Hour: "2 years 70 days",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	for ms, want := range map[float32]string{0.25: "0.2 ms", 9.96: "10.0 ms", 123.4: "123 ms", 12_345: "12.3 s"} {
		if got := milliseconds(ms); got != want {
			t.Errorf("%v: %q, want %q", ms, got, want)
		}
	}
}
