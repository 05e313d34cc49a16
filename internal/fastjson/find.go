package fastjson

import (
	"bytes"
	"encoding/json"
	"iter"
	"strings"
)

// FindString returns the string member of a JSON object that has the given key, or "". See [Find].
func FindString(body []byte, quotedKey string) string {
	return String(Find(body, quotedKey))
}

// String is the JSON string that value begins with, or "" if it does not begin with a whole one.
func String(value []byte) (text string) {
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value[:stringEnd(value)], &text) != nil {
		return ""
	}
	return text
}

// FindOnly is [Find], but returns nil if the object has another member of that key, in any case:
// nothing says which one is meant.
func FindOnly(body []byte, quotedKey string) (value []byte) {
	count := 0
	for key, rest := range members(body) {
		var name string
		if json.Unmarshal(key, &name) != nil || !strings.EqualFold(`"`+name+`"`, quotedKey) {
			continue
		}
		if count++; isKey(key, quotedKey) {
			value = rest
		}
	}
	if count != 1 {
		return nil
	}
	return value
}

// Find returns body from the value of a member on, or nil. The key is given with its quotes and
// must be a member of the object that body begins with; deeper objects are not searched. Find
// decodes nothing else, so it also works on a body that is broken further on. Where body is not
// JSON it may find nothing, but never anything outside of body.
func Find(body []byte, quotedKey string) []byte {
	for key, value := range members(body) {
		if isKey(key, quotedKey) {
			return value
		}
	}
	return nil
}

// members are the keys of the object that body begins with, and body from the value of each on.
func members(body []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		eachMember(body, yield)
	}
}

func eachMember(body []byte, yield func(key, value []byte) bool) {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 || body[0] != '{' {
		return
	}
	depth := 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return
			}
		case '"':
			end := i + stringEnd(body[i:])
			if depth == 1 {
				rest := bytes.TrimLeft(body[end:], " \t\r\n")
				if len(rest) > 0 && rest[0] == ':' && !yield(body[i:end], bytes.TrimLeft(rest[1:], " \t\r\n")) {
					return
				}
			}
			i = end - 1
		}
	}
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
