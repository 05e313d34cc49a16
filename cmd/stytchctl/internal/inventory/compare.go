package inventory

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
)

// A Change is a field that differs.
type Change struct {
	Field string          `json:"field"`
	From  json.RawMessage `json:"from"`
	To    json.RawMessage `json:"to"`
}

// Compare returns the fields of an entry that an existing client or app has otherwise. Lists are
// compared as sets, and a field that is absent equals an empty one. Metadata is compared as a
// whole.
func (e Entry) Compare(existing Object) (changes []Change) {
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		if !reflect.DeepEqual(canonical(e.Fields[name]), canonical(existing[name])) {
			changes = append(changes, Change{name, orNull(existing[name]), orNull(e.Fields[name])})
		}
	}
	return changes
}

func orNull(value json.RawMessage) json.RawMessage {
	if value == nil {
		return json.RawMessage("null")
	}
	return value
}

// Fixed is the first of the changes that no update can make, or "".
func (k *Kind) Fixed(changes []Change) string {
	for _, change := range changes {
		if slices.Contains(k.only, change.Field) {
			return change.Field
		}
	}
	return ""
}

// updateOf is the update that makes the changes. Stytch merges metadata, so a key that is to go is
// sent as null.
func updateOf(changes []Change) Object {
	update := Object{}
	for _, change := range changes {
		update[change.Field] = change.To
		if change.Field == fieldMeta {
			update.Set(fieldMeta, mergeInto(change.From, change.To))
		}
	}
	return update
}

// mergeInto is what has to be merged into one object to make it another.
func mergeInto(from, to json.RawMessage) map[string]json.RawMessage {
	var has, wants, merge map[string]json.RawMessage
	_ = json.Unmarshal(from, &has)
	_ = json.Unmarshal(to, &wants)
	merge = map[string]json.RawMessage{}
	for key := range has {
		if value, ok := wants[key]; !ok || string(value) == "null" {
			merge[key] = json.RawMessage("null")
		}
	}
	for key, value := range wants {
		if string(value) != "null" && !reflect.DeepEqual(canonicalValue(value), canonicalValue(has[key])) {
			merge[key] = value
		}
	}
	return merge
}

// canonical is a value such that equal ones are deeply equal: nil if it is empty, lists of texts
// sorted, metadata without the keys that are null.
func canonical(text json.RawMessage) any {
	switch value := canonicalValue(text).(type) {
	case map[string]any:
		maps.DeleteFunc(value, func(_ string, v any) bool { return v == nil })
		if len(value) == 0 {
			return nil
		}
		return value
	case []any:
		set := map[any]bool{}
		for _, item := range value {
			set[item] = true // lists of fields hold texts
		}
		if len(set) == 0 {
			return nil
		}
		return set
	case string, bool, int64, float64:
		if reflect.ValueOf(value).IsZero() {
			return nil
		}
		return value
	default:
		return value
	}
}

func canonicalValue(text json.RawMessage) (value any) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	_ = decoder.Decode(&value) // what an API sent or [Kind.Parse] accepted
	return canonicalNumbers(value)
}

// canonicalNumbers makes 1 and 1.0 equal, as servers do that decode what they store.
func canonicalNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return whole
		}
		float, err := v.Float64()
		if err != nil || !strings.ContainsAny(v.String(), ".eE") {
			return v.String() // a whole number of many digits
		}
		if whole := int64(float); math.Abs(float) < 1<<53 && float64(whole) == float {
			return whole
		}
		return float
	case map[string]any:
		for key, item := range v {
			v[key] = canonicalNumbers(item)
		}
	case []any:
		for i, item := range v {
			v[i] = canonicalNumbers(item)
		}
	}
	return value
}
