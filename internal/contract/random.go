package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// Fill selects the optional parts of a random instance.
type Fill int

// The values of Fill.
const (
	FillSome     Fill = iota // some of them, and nulls where null is allowed
	FillRequired             // none
	FillAll                  // all of them, and no nulls
)

// Random returns a random instance of a schema, in the types of encoding/json, with numbers as
// [json.Number]. The same state of rng gives the same instance. Random panics on a keyword that it
// does not support, because it would silently return invalid instances.
func Random(rng *rand.Rand, schema *openapi3.SchemaRef, fill Fill) any {
	return generator{rng, fill, 0}.value(schema.Value)
}

type generator struct {
	*rand.Rand
	fill  Fill
	depth int
}

// maxDepth is where optional parts end, because a schema may refer to itself.
const maxDepth = 8

func (g generator) value(s *openapi3.Schema) any {
	if g.depth++; g.depth > maxDepth {
		g.fill = FillRequired
	}
	if g.depth > 100*maxDepth {
		panic("contract: Random finds no end of a schema that requires itself: make the reference optional in api/openapi.yaml")
	}
	if keyword := UnknownKeyword(s); keyword != "" {
		panic("contract: Random does not support the keyword " + keyword + ": teach it in internal/contract/random.go, or leave the keyword out of api/openapi.yaml")
	}
	if s.Nullable && g.fill == FillSome && g.oneIn(4) {
		return nil
	}
	if known := KnownValues(s); known != nil && !g.oneIn(4) {
		return known[g.IntN(len(known))]
	}
	if len(s.Enum) > 0 {
		values := slices.DeleteFunc(slices.Clone(s.Enum), func(v any) bool { return v == nil })
		return values[g.IntN(len(values))]
	}
	switch choices := slices.Concat(s.OneOf, s.AnyOf); {
	case len(choices) > 0:
		return g.choice(s, choices)
	case s.Type.Is("string"):
		return g.text(s)
	case s.Type.Is("number") && s.Format != "":
		return fractions[g.IntN(len(fractions))]
	case s.Type.Is("number"):
		return numbers[g.IntN(len(numbers)-2)] // the last two are out of range
	case s.Type.Is("integer"):
		return g.integer(s)
	case s.Type.Is("boolean"):
		return g.oneIn(2)
	case s.Type.Is("array"):
		return g.list(s)
	}
	return g.object(s)
}

// UnknownKeyword returns the first keyword of a schema that [Random] does not support, or "".
func UnknownKeyword(s *openapi3.Schema) string {
	for keyword, used := range map[string]bool{
		"not": s.Not != nil, "pattern": s.Pattern != "", "multipleOf": s.MultipleOf != nil,
		"exclusiveMinimum": s.ExclusiveMin.Bool != nil, "exclusiveMaximum": s.ExclusiveMax.Bool != nil, "uniqueItems": s.UniqueItems,
		"minProperties": s.MinProps > 0, "maxProperties": s.MaxProps != nil,
		"minimum of a number": s.Type.Is("number") && (s.Min != nil || s.Max != nil), "no type": s.Type == nil && s.AllOf == nil && s.OneOf == nil && s.AnyOf == nil,
		"format: " + s.Format: s.Format != "" && formats[s.Format] == nil && !slices.Contains([]string{"password", "int32", "int64", "float", "double"}, s.Format),
	} {
		if used {
			return keyword
		}
	}
	return ""
}

// formats are the texts of a format that has rules.
var formats = map[string][]string{
	"date":      {"2024-02-29", "1970-01-01"},
	"date-time": {"2024-02-29T23:59:59Z", "1970-01-01T00:00:00.000001+14:00"},
	"duration":  {"PT1H30M", "P1DT0.5S"},
	"binary":    {"", "\x00\x01"},
	"byte":      {"", "AA==", "Zm9vYmFy"},
	"email":     {"a@example.com", "first.last+tag@sub.example.org"},
	"uuid":      {"00000000-0000-4000-8000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff"},
	"uri":       {"https://example.com/a?b=c#d", "urn:example:a"},
}

// choice is an instance of one of the choices that the schema as a whole accepts: with oneOf, no
// other choice may accept it too.
func (g generator) choice(s *openapi3.Schema, choices openapi3.SchemaRefs) any {
	for range 100 {
		value := g.value(choices[g.IntN(len(choices))].Value)
		data, err := json.Marshal(value)
		var plain any
		if err == nil && json.Unmarshal(data, &plain) == nil && s.VisitJSON(plain) == nil {
			return value
		}
	}
	panic("contract: Random finds no instance of a oneOf or anyOf: its choices must not overlap in api/openapi.yaml")
}

func (g generator) oneIn(n int) bool { return g.IntN(n) == 0 }

// awkward holds texts that programs often handle incorrectly.
var awkward = []string{
	"", " ", "  x  ", "null", "true", "0", "-1", "{}", "[]", `"`, `\`, `a\"b`, "a/b", "../..", "%2e%2e", "?#&=+;", "a b", "line\nbreak", "\t\r",
	"\x00", "\x7f", "<script>&amp;</script>", "{{ request.name }}", "${jndi:x}", "' OR 1=1 --", "undefined", "read:users write:users",
	"äöü ß", "日本語", "עברית", "👩‍👩‍👧‍👦", "e\u0301", "\u2028\u2029", "\u202e", "\ufeff", "\ufffd", "\U0010ffff", strings.Repeat("long ", 200),
}

func (g generator) text(s *openapi3.Schema) string {
	if texts := formats[s.Format]; texts != nil {
		return texts[g.IntN(len(texts))]
	}
	text := awkward[g.IntN(len(awkward))]
	if g.oneIn(2) || s.Format == "password" && strings.ContainsAny(text, "[\ufffd") { // secrets contain neither
		text = g.letters(g.IntN(24))
	}
	if missing := int(s.MinLength) - utf8.RuneCountInString(text); missing > 0 {
		text += g.letters(missing)
	}
	if s.MaxLength != nil && utf8.RuneCountInString(text) > int(*s.MaxLength) {
		text = string([]rune(text)[:*s.MaxLength])
	}
	return text
}

func (g generator) letters(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.IntN(len(alphabet))]
	}
	return string(b)
}

// integer stays within 61 bits: the validator computes with floats, which are inexact beyond.
func (g generator) integer(s *openapi3.Schema) json.Number {
	low, high := int64(-1<<61), int64(1<<61)
	if s.Format == "int32" {
		low, high = math.MinInt32, math.MaxInt32
	}
	if s.Min != nil {
		low = int64(math.Ceil(*s.Min))
	}
	if s.Max != nil {
		high = int64(math.Floor(*s.Max))
	}
	n := [...]int64{low, high, 0, 1, -1, low + g.Int64N(high-low+1)}[g.IntN(6)]
	return json.Number(strconv.FormatInt(min(max(n, low), high), 10))
}

func (g generator) list(s *openapi3.Schema) []any {
	n := map[Fill]int{FillSome: g.IntN(4), FillAll: 1 + g.IntN(3)}[g.fill]
	n = max(n, int(s.MinItems))
	if s.MaxItems != nil {
		n = min(n, int(*s.MaxItems))
	}
	items := make([]any, n)
	for i := range items {
		items[i] = g.value(s.Items.Value)
	}
	return items
}

// object merges the parts of an allOf. If several declare a field, the last declaration is the most
// specific one.
func (g generator) object(s *openapi3.Schema) map[string]any {
	fields, open := members(s.NewRef())
	required := requiredFields(s)
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if required[name] || g.fill == FillAll || g.fill == FillSome && g.oneIn(2) {
			out[name] = g.value(fields[name][len(fields[name])-1].Value)
		}
	}
	if open && g.fill != FillRequired {
		g.addFurther(out, fields, s)
	}
	return out
}

// requiredFields are the fields that a schema or a part of its allOf requires. A part may refer
// back to the schema.
func requiredFields(s *openapi3.Schema) map[string]bool {
	required, seen := map[string]bool{}, map[*openapi3.Schema]bool{}
	var collect func(s *openapi3.Schema)
	collect = func(s *openapi3.Schema) {
		if seen[s] {
			return
		}
		seen[s] = true
		for _, name := range s.Required {
			required[name] = true
		}
		for _, part := range s.AllOf {
			collect(part.Value)
		}
	}
	collect(s)
	return required
}

// addFurther adds members that the schema does not declare, within its limits.
func (g generator) addFurther(out map[string]any, declared map[string][]*openapi3.SchemaRef, s *openapi3.Schema) {
	maxKeys, maxBytes := limit(s, "x-max-keys"), limit(s, "x-max-bytes")
	for range g.IntN(6) {
		name := g.text(openapi3.NewStringSchema())
		if _, taken := out[name]; taken || declared[name] != nil || len(out) >= maxKeys {
			continue
		}
		if further := s.AdditionalProperties.Schema; further != nil {
			out[name] = g.value(further.Value)
		} else {
			out[name] = g.anything(3)
		}
		if data, err := json.Marshal(out); err != nil || len(data) > maxBytes {
			delete(out, name)
		}
	}
}

func limit(s *openapi3.Schema, name string) int {
	n, err := strconv.Atoi(fmt.Sprint(s.Extensions[name]))
	if err != nil {
		return math.MaxInt
	}
	return n
}

// numbers holds JSON numbers that a float64 loses or changes.
var numbers = []json.Number{
	"0", "-0", "1", "1.0", "-1.50", "0.1", "1e3", "1E+2", "9007199254740993", "-9223372036854775809", "123456789012345678901234567890", "1e400", "5e-324",
}

// fractions are numbers that a float32 keeps.
var fractions = []json.Number{"0", "1", "-1.5", "0.25", "1000", "-0.0078125"}

// anything returns any JSON value, nested at most depth levels deep.
func (g generator) anything(depth int) any {
	switch n := g.IntN(6); {
	case n == 0:
		return nil
	case n == 1:
		return g.oneIn(2)
	case n == 2:
		return numbers[g.IntN(len(numbers))]
	case n == 3 && depth > 0:
		list := make([]any, g.IntN(3))
		for i := range list {
			list[i] = g.anything(depth - 1)
		}
		return list
	case n == 4 && depth > 0:
		object := map[string]any{}
		for range g.IntN(3) {
			object[g.text(openapi3.NewStringSchema())] = g.anything(depth - 1)
		}
		return object
	}
	return g.text(openapi3.NewStringSchema())
}
