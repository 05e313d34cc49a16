package emulator

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// encode writes compact JSON. Characters that are special in HTML stay unescaped, so that texts and
// metadata come back as they were sent.
func encode(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("emulator: encode a response: " + err.Error()) // the types of wire.go always encode
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// parseObject splits one JSON object into its fields. Of a repeated key, the last value counts.
func parseObject(data []byte) (map[string]json.RawMessage, bool) {
	var fields map[string]json.RawMessage
	if !utf8.Valid(data) || loneSurrogate(data) || json.Unmarshal(data, &fields) != nil {
		return nil, false
	}
	return fields, fields != nil // null is not an object
}

// loneSurrogate reports whether JSON text contains half of a surrogate pair, which no Go string can
// hold.
func loneSurrogate(data []byte) bool {
	for {
		start := bytes.IndexByte(data, '\\')
		if start < 0 || start+1 >= len(data) {
			return false
		}
		data = data[start:]
		unit, ok := escapedUnit(data)
		switch {
		case !ok:
			data = data[2:]
		case unit&0xF800 != 0xD800:
			data = data[6:]
		default:
			low, ok := escapedUnit(data[6:])
			if unit >= 0xDC00 || !ok || low&0xFC00 != 0xDC00 {
				return true
			}
			data = data[12:]
		}
	}
}

// escapedUnit reads the UTF-16 code unit of an escape such as \u00e9 at the start of data.
func escapedUnit(data []byte) (uint64, bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return unit, err == nil
}

// canonical sorts the keys of valid JSON at every depth and keeps every digit of its numbers.
func canonical(value json.RawMessage) json.RawMessage {
	if !bytes.ContainsAny(value, `{[\\`) {
		return value // a number, a boolean or a string without escapes, as most values are
	}
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return value // not reached: the value was parsed before
	}
	return encode(v)
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// orZero returns the value that p points to, or the zero value for nil.
func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
