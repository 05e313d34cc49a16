package strictjson

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// escape reads the escape at the beginning of text. The two halves of a surrogate pair are one
// escape.
func escape(text []byte) (r rune, n int, err error) {
	if len(text) < 2 {
		return 0, 0, ErrSyntax
	}
	switch text[1] {
	case '"', '\\', '/':
		return rune(text[1]), 2, nil
	case 'b':
		return '\b', 2, nil
	case 'f':
		return '\f', 2, nil
	case 'n':
		return '\n', 2, nil
	case 'r':
		return '\r', 2, nil
	case 't':
		return '\t', 2, nil
	}
	r, ok := hex4(text)
	switch {
	case !ok:
		return 0, 0, ErrSyntax
	case !utf16.IsSurrogate(r):
		return r, 6, nil
	}
	low, _ := hex4(text[6:])
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, 0, ErrEncoding
	}
	return r, 12, nil
}

// hex4 reads the code unit of an escape such as \u00e9.
func hex4(text []byte) (r rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	for _, c := range text[2:6] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c-'a' <= 5:
			c -= 'a' - 10
		case c-'A' <= 5:
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape resolves the escapes of a string that is already checked.
func unescape(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return append(out, text...)
		}
		out = append(out, text[:i]...)
		r, n, _ := escape(text[i:])
		out = utf8.AppendRune(out, r)
		text = text[i+n:]
	}
}
