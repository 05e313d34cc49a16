package stytch

import (
	"bytes"
	"encoding/json"
	"errors"
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

// topLevel returns the rest of the object body from the value of a key on, or nil. It trusts body to be JSON as far as it
// looks; on anything else it may find nothing, never something outside of body.
func topLevel(body []byte, quotedKey string) []byte {
	depth := 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := i + stringEnd(body[i:])
			if depth == 1 && string(body[i:end]) == quotedKey {
				if rest := bytes.TrimLeft(body[end:], " \t\r\n"); len(rest) > 0 && rest[0] == ':' {
					return bytes.TrimLeft(rest[1:], " \t\r\n")
				}
			}
			i = end - 1
		}
	}
	return nil
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
	return uniqueKeysOf(decoder)
}

func uniqueKeysOf(decoder *json.Decoder) error {
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
			if seen[name] {
				return errDuplicateKey
			}
			seen[name] = true
			if err := uniqueKeysOf(decoder); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for decoder.More() {
			if err := uniqueKeysOf(decoder); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = decoder.Token() // the closing bracket
	return err
}
