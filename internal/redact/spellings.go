package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
)

// spellings calls yield with every way in which a secret may stand in a text.
func spellings(s string, yield func(string)) {
	seen := map[string]bool{}
	once := func(spelling string) {
		if !seen[spelling] {
			seen[spelling] = true
			yield(spelling)
		}
	}
	once(s)
	inHex := hex.EncodeToString([]byte(s))
	once(inHex)
	once(strings.ToUpper(inHex))
	inner := []string{s} // what may be part of a larger text that was encoded in base64
	if !isPlain(s) {     // most secrets are, and then all of these are the same
		inJSON, form := jsonSpellings(s), url.QueryEscape(s)
		inner = append(append(inner, form), inJSON...)
		for _, text := range inJSON {
			once(text)
			once(inside(strconv.Quote(text)))
		}
		spaced := strings.ReplaceAll(form, "+", "%20")
		for _, text := range []string{form, spaced, url.PathEscape(s)} {
			once(text)
			once(lowerEscapes(text))
		}
		once(inside(strconv.Quote(s)))
		once(inside(strconv.QuoteToASCII(s)))
		inHTML := html.EscapeString(s)
		once(inHTML)
		once(otherHTML.Replace(inHTML))
	}
	for _, text := range inner {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			for shift := range 3 {
				if part := within(encoding, text, shift); len(part) >= tiny { // shorter ones are in any text
					once(part)
				}
			}
		}
	}
}

// isPlain reports whether no encoder that escapes changes s.
func isPlain(s string) bool {
	for i := range len(s) {
		if b := s[i]; b == '-' || b == '_' || b < 0x80 && isWord(b) {
			continue
		}
		return false
	}
	return true
}

// jsonSpellings are s in a JSON string: escaped as little as possible, fit for HTML, with escaped
// slashes, and in ASCII alone.
func jsonSpellings(s string) []string {
	var little bytes.Buffer
	encoder := json.NewEncoder(&little)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // cannot fail: a string, to memory
	plain := inside(strings.TrimSuffix(little.String(), "\n"))
	safe, _ := json.Marshal(s)
	ascii := asciiJSON(plain)
	all := []string{plain, inside(string(safe)), strings.ReplaceAll(plain, "/", `\/`), ascii, strings.ReplaceAll(ascii, "/", `\/`)}
	for _, text := range all[:len(all):len(all)] {
		all = append(all, upperEscapes(text))
	}
	return all
}

// asciiJSON escapes what is not ASCII in the inside of a JSON string.
func asciiJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r >= 0x10000:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// upperEscapes is the inside of a JSON string with its \u escapes in upper case.
func upperEscapes(text string) string {
	out := []byte(text)
	for i := 0; i < len(out); i++ {
		if out[i] != '\\' {
			continue
		}
		i++
		if i+4 < len(out) && out[i] == 'u' {
			copy(out[i+1:i+5], bytes.ToUpper(out[i+1:i+5]))
			i += 4
		}
	}
	return string(out)
}

// lowerEscapes is an escaped part of a URL with its percent escapes in lower case.
func lowerEscapes(text string) string {
	out := []byte(text)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], bytes.ToLower(out[i+1:i+3]))
			i += 2
		}
	}
	return string(out)
}

// otherHTML is what other encoders than Go's write for the same characters.
var otherHTML = strings.NewReplacer("&#34;", "&quot;", "&#39;", "&#x27;")

func inside(quoted string) string { return quoted[1 : len(quoted)-1] }

// within is what the base64 of a larger text has of s in any case, if s begins in it shift bytes
// after a multiple of three.
func within(encoding *base64.Encoding, s string, shift int) string {
	encoded := encoding.EncodeToString(append(make([]byte, shift), s...))
	first, last := (shift*8+5)/6, len(encoded) // the first characters depend on what is before s, too
	if (shift+len(s))%3 != 0 {
		last-- // and the last one on what is behind it
	}
	return encoded[min(first, last):last]
}
