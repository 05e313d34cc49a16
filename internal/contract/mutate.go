package contract

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// Mutate returns a copy of a JSON value that is damaged in one random place: something is dropped,
// has another type, is doubled, far too long, another value, null, or nested deeper. The result may
// be valid by chance.
func Mutate(rng *rand.Rand, v any) any {
	m := mutator{rng, rng.IntN(count(v))}
	out, _ := m.copy(v)
	return out
}

// count returns the number of values in v, nested ones included.
func count(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			n += count(member)
		}
	case []any:
		for _, item := range v {
			n += count(item)
		}
	}
	return n
}

// A mutator copies a value and damages the nested value at position before.
type mutator struct {
	*rand.Rand
	before int
}

// copy returns the copy, and whether to keep it.
func (m *mutator) copy(v any) (out any, keep bool) {
	if m.before--; m.before == -1 {
		whole, _ := m.copy(v) // before is negative from here on
		return m.damage(whole)
	}
	switch v := v.(type) {
	case map[string]any:
		object := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) { // the same rng must cause the same damage
			if member, keep := m.copy(v[name]); keep {
				object[name] = member
			}
		}
		return object, true
	case []any:
		list := make([]any, 0, len(v))
		for _, item := range v {
			if item, keep := m.copy(item); keep {
				list = append(list, item)
			}
		}
		return list, true
	}
	return v, true
}

func (m *mutator) damage(v any) (out any, keep bool) {
	switch m.IntN(7) {
	case 0:
		return nil, false
	case 1:
		return m.retype(v), true
	case 2:
		return m.double(v), true
	case 3:
		return m.oversize(v), true
	case 4:
		return []any{"no-such-value", "", "ACTIVE", json.Number("-1"), json.Number("1001"), json.Number("4294967296")}[m.IntN(6)], true
	case 5:
		return nil, true
	}
	for range 1 << m.IntN(8) {
		if m.IntN(2) == 0 {
			v = []any{v}
		} else {
			v = map[string]any{"nested": v}
		}
	}
	return v, true
}

func (m *mutator) retype(v any) any {
	others := []any{"text", json.Number("7"), json.Number("1.5"), true, []any{}, []any{"text"}, map[string]any{}, map[string]any{"a": "text"}}
	switch v := v.(type) {
	case string:
		return others[1+m.IntN(7)]
	case json.Number:
		return v.String() // digits as a string
	case bool:
		return "true"
	}
	return others[m.IntN(4)]
}

func (m *mutator) double(v any) any {
	switch v := v.(type) {
	case string:
		return v + v
	case []any:
		return append(v, v...)
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			v[strings.ToUpper(name)] = v[name]
			v[name+"_2"] = v[name]
		}
		return v
	}
	return []any{v, v}
}

func (m *mutator) oversize(v any) any {
	n := []int{300, 5_000, 70_000}[m.IntN(3)]
	switch v := v.(type) {
	case string:
		return v + strings.Repeat("x", n)
	case json.Number: // far more digits than any type holds
		return json.Number(strings.Repeat("9", n/10))
	case []any:
		return append(v, slices.Repeat([]any{"item"}, n/10)...)
	case map[string]any:
		for i := range n / 100 {
			v["key"+strings.Repeat("k", i)] = "value"
		}
		return v
	}
	return strings.Repeat("x", n)
}
