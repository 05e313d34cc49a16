package fastjson

import (
	"bytes"
	"encoding/json"
)

// FindString returns the string member of a JSON object that has the given key, or "". See [Find].
func FindString(body []byte, quotedKey string) (text string) {
	value := Find(body, quotedKey)
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value[:stringEnd(value)], &text) != nil {
		return ""
	}
	return text
}

// Find returns body from the value of a member on, or nil. The key is given with its quotes and
// must be a member of the object that body begins with; deeper objects are not searched. Find
// decodes nothing else, so it also works on a body that is broken further on. Where body is not
// JSON it may find nothing, but never anything outside of body.
func Find(body []byte, quotedKey string) []byte {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 || body[0] != '{' {
		return nil
	}
	depth := 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return nil
			}
		case '"':
			end := i + stringEnd(body[i:])
			if depth == 1 && isKey(body[i:end], quotedKey) {
				if rest := bytes.TrimLeft(body[end:], " \t\r\n"); len(rest) > 0 && rest[0] == ':' {
					return bytes.TrimLeft(rest[1:], " \t\r\n")
				}
			}
			i = end - 1
		}
	}
	return nil
}

// isKey compares two JSON strings, of which the first may contain escapes.
func isKey(quoted []byte, quotedKey string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted) == quotedKey
	}
	var key string
	return json.Unmarshal(quoted, &key) == nil && `"`+key+`"` == quotedKey
}

// stringEnd is the length of the JSON string that s begins with, quotes included, or len(s) if it
// does not end.
func stringEnd(s []byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}
