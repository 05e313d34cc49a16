package stytch

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// requestID finds the request_id at the top level of a JSON object without decoding the rest, in bodies too that are broken
// further on. It answers "" where there is none.
func requestID(body []byte) string { return topLevelString(body, `"request_id"`) }

// nextCursor finds results_metadata.next_cursor of a search page, so that the next page can be asked for before this one is decoded.
func nextCursor(body []byte) string {
	return topLevelString(topLevel(body, `"results_metadata"`), `"next_cursor"`)
}

func topLevelString(body []byte, quotedKey string) (text string) {
	value := topLevel(body, quotedKey)
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value[:stringEnd(value)], &text) != nil {
		return ""
	}
	return text
}

// topLevel returns the rest of body from the value of a key on, or nil. body begins with an object, of which the key is a
// member. It is trusted to be JSON as far as it is looked at; on anything else nothing may be found, but never something
// outside of body.
func topLevel(body []byte, quotedKey string) []byte {
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

// isKey compares JSON strings, of which the first may be written with escapes.
func isKey(quoted []byte, quotedKey string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted) == quotedKey
	}
	var key string
	return json.Unmarshal(quoted, &key) == nil && `"`+key+`"` == quotedKey
}

// stringEnd is the length of the JSON string that s begins with, quotes included, or all of s if it does not end.
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

var errDuplicateKey = errors.New("the body has an object with a duplicate key")

// uniqueKeys refuses an object that names a key twice, at any depth: which of two secrets is the right one cannot be told.
// The body must be valid JSON.
func uniqueKeys(body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	return uniqueKeysOf(decoder, 1)
}

// foldedDepth is how deep the fields of the contract lie, which encoding/json finds whatever their case. Below is metadata.
const foldedDepth = 2

func uniqueKeysOf(decoder *json.Decoder, depth int) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			if depth <= foldedDepth {
				name = strings.ToLower(strings.ToUpper(name)) // both, because the Kelvin sign and the long s fold to k and s
			}
			if seen[name] {
				return errDuplicateKey
			}
			seen[name] = true
			if err := uniqueKeysOf(decoder, depth+1); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for decoder.More() {
			if err := uniqueKeysOf(decoder, depth+1); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = decoder.Token() // the closing bracket
	return err
}
