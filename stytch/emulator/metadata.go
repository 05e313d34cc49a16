package emulator

import (
	"bytes"
	"encoding/json"
)

// Limits of trusted_metadata, documented; they count after a merge.
const (
	maxMetadataKeys  = 20
	maxMetadataBytes = 4096
)

// mergeMetadata applies a change to stored metadata as documented: at the top level a key with null is removed, any
// other key of the change replaces the whole value, and keys that it does not name stay. The result is compact and
// sorted at every level, and keeps every digit of every number.
func mergeMetadata(stored, change json.RawMessage) (json.RawMessage, error) {
	fields, ok := parseObject(change)
	if !ok {
		return nil, fail("metadata_invalid_format")
	}
	merged := map[string]json.RawMessage{}
	if len(stored) > 0 {
		merged, _ = parseObject(stored)
	}
	for key, value := range fields {
		if isNull(value) {
			delete(merged, key)
			continue
		}
		merged[key] = canonical(value)
	}
	if len(merged) > maxMetadataKeys {
		return nil, fail("metadata_too_many_keys")
	}
	encoded := encode(merged)
	if len(encoded) > maxMetadataBytes {
		return nil, fail("metadata_too_large")
	}
	return encoded, nil
}

// canonical sorts the keys of valid JSON.
func canonical(value json.RawMessage) json.RawMessage {
	if !bytes.ContainsAny(value, `{[\\`) {
		return value // a plain value, which many are
	}
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return value // cannot be: it was parsed before
	}
	return encode(v)
}
