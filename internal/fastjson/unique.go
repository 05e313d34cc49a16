package fastjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// ErrDuplicateKey reports an object that has the same key twice.
var ErrDuplicateKey = errors.New("the body has an object with a duplicate key")

// UniqueKeys returns [ErrDuplicateKey] if an object has the same key twice, at any depth: of two
// secrets, nothing says which one is valid. The body must be valid JSON.
func UniqueKeys(body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	return uniqueKeys(decoder, 1)
}

// foldedDepth is how deep the fields of the contract lie, which encoding/json matches in any case.
// Below is metadata.
const foldedDepth = 2

func uniqueKeys(decoder *json.Decoder, depth int) error {
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
				return ErrDuplicateKey
			}
			seen[name] = true
			if err := uniqueKeys(decoder, depth+1); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for decoder.More() {
			if err := uniqueKeys(decoder, depth+1); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = decoder.Token() // the closing bracket
	return err
}
