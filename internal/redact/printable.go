package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const ellipsis = "…"

// Printable returns text fit for one line: control characters, line separators and characters that
// turn the direction of text become spaces, invalid UTF-8 becomes U+FFFD, and what is over limit
// bytes becomes an ellipsis within them. No limit is 0.
func Printable(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
	return cut(text, limit)
}

// cut shortens valid UTF-8 to limit bytes, the ellipsis included.
func cut(text string, limit int) string {
	if limit <= 0 || len(text) <= limit {
		return text
	}
	end := ellipsis
	if limit < len(end) {
		end = ""
	}
	to := limit - len(end)
	for to > 0 && !utf8.RuneStart(text[to]) {
		to--
	}
	return text[:to] + end
}
