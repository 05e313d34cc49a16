package fastjson

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

func (d *decoder) text() (string, bool) {
	start := d.i
	if text, ok := d.plainString(); ok {
		return string(text), true
	}
	d.i = start
	raw, ok := d.raw()
	if !ok || raw[0] != '"' {
		return "", false
	}
	var text string
	return text, json.Unmarshal(raw, &text) == nil
}

// plainString reads a string without escapes, in valid UTF-8.
func (d *decoder) plainString() ([]byte, bool) {
	if !d.byte('"') {
		return nil, false
	}
	start, ascii := d.i, true
	for ; d.i < len(d.data); d.i++ {
		switch c := d.data[d.i]; {
		case c == '"':
			text := d.data[start:d.i]
			d.i++
			return text, ascii || utf8.Valid(text)
		case c == '\\' || c < ' ':
			return nil, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, false
}

// integer reads what fits an int32 and is written plainly.
func (d *decoder) integer() (n int64, ok bool) {
	negative := d.byte('-')
	start := d.i
	for d.i < len(d.data) && '0' <= d.data[d.i] && d.data[d.i] <= '9' {
		n = n*10 + int64(d.data[d.i]-'0')
		if d.i++; d.i-start > 9 {
			return 0, false
		}
	}
	if d.i == start || d.data[start] == '0' && d.i-start > 1 || d.i < len(d.data) && strings.IndexByte(".eE", d.data[d.i]) >= 0 {
		return 0, false
	}
	if negative {
		n = -n
	}
	return n, true
}

// raw reads any value and makes sure that it is JSON.
func (d *decoder) raw() ([]byte, bool) {
	d.space()
	start, depth := d.i, 0
	for ; d.i < len(d.data); d.i++ {
		switch d.data[d.i] {
		case '"':
			d.i++
			for d.i < len(d.data) && d.data[d.i] != '"' {
				if d.data[d.i] == '\\' {
					d.i++
				}
				d.i++
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ' ', '\t', '\r', '\n', ',', ':':
			continue
		default: // a number or a word
			for d.i+1 < len(d.data) && !strings.ContainsRune(" \t\r\n,:]}[{\"", rune(d.data[d.i+1])) {
				d.i++
			}
		}
		if depth <= 0 {
			d.i = min(d.i+1, len(d.data))
			return d.data[start:d.i], json.Valid(d.data[start:d.i])
		}
	}
	return nil, false
}

func (d *decoder) byte(c byte) bool {
	if d.i < len(d.data) && d.data[d.i] == c {
		d.i++
		return true
	}
	return false
}

func (d *decoder) literal(word string) bool {
	if len(d.data)-d.i >= len(word) && string(d.data[d.i:d.i+len(word)]) == word {
		d.i += len(word)
		return true
	}
	return false
}

func (d *decoder) space() {
	for d.i < len(d.data) && (d.data[d.i] == ' ' || d.data[d.i] == '\n' || d.data[d.i] == '\r' || d.data[d.i] == '\t') {
		d.i++
	}
}

func (d *decoder) end() bool {
	d.space()
	return d.i == len(d.data)
}
