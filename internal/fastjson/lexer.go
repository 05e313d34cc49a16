package fastjson

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// lexer reads data from i on. Its methods report whether what they read was plain JSON.
type lexer struct {
	data []byte
	i    int
}

func (l *lexer) text() (string, bool) {
	start := l.i
	if text, ok := l.plainString(); ok {
		return string(text), true
	}
	l.i = start
	raw, ok := l.raw()
	if !ok || raw[0] != '"' {
		return "", false
	}
	var text string
	return text, json.Unmarshal(raw, &text) == nil
}

// plainString reads a string without escapes, in valid UTF-8.
func (l *lexer) plainString() ([]byte, bool) {
	if !l.byte('"') {
		return nil, false
	}
	start, ascii := l.i, true
	for ; l.i < len(l.data); l.i++ {
		switch c := l.data[l.i]; {
		case c == '"':
			text := l.data[start:l.i]
			l.i++
			return text, ascii || utf8.Valid(text)
		case c == '\\' || c < ' ':
			return nil, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, false
}

// integer reads an integer of at most nine digits without fraction or exponent, so that it fits an
// int32.
func (l *lexer) integer() (n int64, ok bool) {
	negative := l.byte('-')
	start := l.i
	for l.i < len(l.data) && '0' <= l.data[l.i] && l.data[l.i] <= '9' {
		n = n*10 + int64(l.data[l.i]-'0')
		if l.i++; l.i-start > 9 {
			return 0, false
		}
	}
	if l.i == start || l.data[start] == '0' && l.i-start > 1 || l.i < len(l.data) && strings.IndexByte(".eE", l.data[l.i]) >= 0 {
		return 0, false
	}
	if negative {
		n = -n
	}
	return n, true
}

// raw reads any value and checks that it is JSON.
func (l *lexer) raw() ([]byte, bool) {
	l.space()
	start, depth := l.i, 0
	for ; l.i < len(l.data); l.i++ {
		switch l.data[l.i] {
		case '"':
			l.i++
			for l.i < len(l.data) && l.data[l.i] != '"' {
				if l.data[l.i] == '\\' {
					l.i++
				}
				l.i++
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ' ', '\t', '\r', '\n', ',', ':':
			continue
		default: // a number or a word
			for l.i+1 < len(l.data) && !strings.ContainsRune(" \t\r\n,:]}[{\"", rune(l.data[l.i+1])) {
				l.i++
			}
		}
		if depth <= 0 {
			l.i = min(l.i+1, len(l.data))
			return l.data[start:l.i], json.Valid(l.data[start:l.i])
		}
	}
	return nil, false
}

func (l *lexer) byte(c byte) bool {
	if l.i < len(l.data) && l.data[l.i] == c {
		l.i++
		return true
	}
	return false
}

func (l *lexer) literal(word string) bool {
	if len(l.data)-l.i >= len(word) && string(l.data[l.i:l.i+len(word)]) == word {
		l.i += len(word)
		return true
	}
	return false
}

func (l *lexer) space() {
	for l.i < len(l.data) && (l.data[l.i] == ' ' || l.data[l.i] == '\n' || l.data[l.i] == '\r' || l.data[l.i] == '\t') {
		l.i++
	}
}

func (l *lexer) end() bool {
	l.space()
	return l.i == len(l.data)
}
