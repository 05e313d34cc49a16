package emulator

import "encoding/json"

// Limits of trusted_metadata (documented). They apply to the result of a merge.
const (
	maxMetadataKeys  = 20
	maxMetadataBytes = 4096
)

// mergeMetadata applies a change to stored metadata (documented): at the top level, null removes a
// key, any other value replaces the whole value, and keys that the change leaves out stay. The
// result is compact and sorted at every depth.
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
