package console

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	cellLength = 80     // characters of a text in a table
	lineLength = 240    // of a sentence
	longest    = 20_000 // characters of a text on a page of its own
)

// visible makes control characters and those that turn the direction of text readable, so that a
// name looks like what it is.
func visible(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// cell is a text for a table: visible, on one line, and short.
func cell(text string) string {
	return clip(strings.ReplaceAll(visible(text), "\n", " "), cellLength)
}

// line is a sentence for a table.
func line(text string) string {
	return clip(strings.ReplaceAll(visible(text), "\n", " "), lineLength)
}

// whole is a text for the page that is about it.
func whole(text string) string { return clip(visible(text), longest) }

func clip(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	cut := 0
	for i := range text {
		if cut == limit {
			return text[:i] + "…"
		}
		cut++
	}
	return text
}

// prose turns `words` in backquotes into code, and empty lines into paragraphs.
func prose(text string) template.HTML {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		b.WriteString("<p>")
		for i, part := range strings.Split(paragraph, "`") {
			if i%2 == 1 {
				b.WriteString("<code>" + template.HTMLEscapeString(part) + "</code>")
			} else {
				b.WriteString(template.HTMLEscapeString(part))
			}
		}
		b.WriteString("</p>")
	}
	return template.HTML(b.String()) //nolint:gosec // every part was escaped
}

// breakable lets a name of the contract break after its underscores.
func breakable(name string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(name), "_", "_<wbr>")) //nolint:gosec // escaped
}

// count is a number with separators.
func count(n int) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// plural is a count with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func clockTime(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// span is a duration in words, its two largest units.
func span(d time.Duration) string {
	d = d.Abs()
	if d < time.Second {
		return "less than a second"
	}
	var parts []string
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{365 * 24 * time.Hour, "year"}, {24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := int(d / unit.length); n > 0 && len(parts) < 2 {
			parts = append(parts, plural(n, unit.name, unit.name+"s"))
			d -= time.Duration(n) * unit.length
		} else if len(parts) > 0 {
			break
		}
	}
	return strings.Join(parts, " ")
}

func milliseconds(ms float32) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.0f ms", math.Round(float64(ms)))
	}
	return fmt.Sprintf("%.1f s", ms/1000)
}

// upper is text with a capital letter.
func upper(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// quoted is a word for a POSIX shell.
func quoted(text string) string {
	plain := strings.IndexFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_./:@%+=", r))
	}) < 0
	if plain && text != "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
