package redact

import (
	"encoding/json"
	"strconv"

	"github.com/stytchkit/m2m/stytch/secret"
)

// JSON returns value with the placeholder for each secret in its strings, however they are escaped.
// Where a secret is elsewhere, as a number or across several strings, or value is not JSON, all of
// it becomes the placeholder.
func (r *Redactor) JSON(value json.RawMessage) json.RawMessage {
	if len(value) == 0 || r.empty() {
		return value
	}
	if !json.Valid(value) {
		return json.RawMessage(strconv.Quote(secret.Placeholder))
	}
	parts := split(value)
	texts := make([]string, len(parts))
	for i, p := range parts {
		if p.quoted {
			_ = json.Unmarshal(value[p.from:p.to], &texts[i]) // valid, as all of value
		}
	}
	hidden := r.find(texts...)
	out := make(json.RawMessage, 0, len(value))
	for i, p := range parts {
		raw := value[p.from:p.to]
		if hidden != nil && p.quoted {
			if clean := replace(texts[i], hidden[i], 0, len(texts[i])); clean != texts[i] {
				raw, _ = json.Marshal(clean) // cannot fail: a string
			}
		}
		out = append(out, raw...)
	}
	if r.Found(string(out)) {
		return json.RawMessage(strconv.Quote(secret.Placeholder))
	}
	return out
}

// part is a string of a JSON text with its quotes, or what stands between two of them.
type part struct {
	from, to int
	quoted   bool
}

// split cuts valid JSON into parts.
func split(value []byte) (parts []part) {
	from, quoted := 0, false
	end := func(to int, next bool) {
		if to > from {
			parts = append(parts, part{from, to, quoted})
		}
		from, quoted = to, next
	}
	for i := 0; i < len(value); i++ {
		switch {
		case quoted && value[i] == '\\':
			i++
		case quoted && value[i] == '"':
			end(i+1, false)
		case value[i] == '"':
			end(i, true)
		}
	}
	end(len(value), false)
	return parts
}
