package contract

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A loss is a part of an instance that its Go type does not keep.
type loss int

const (
	nothing loss = iota
	nulls        // null and absent are the same to it
	zeroes       // null, the zero value and absent are the same to it
)

// allowed is what the Go type of a schema may lose: nothing in an update, where the difference
// counts, zero values in other requests, where they mean "not set", and nulls in responses.
func allowed(name string) loss {
	switch {
	case strings.HasPrefix(name, "Update") && strings.HasSuffix(name, "Request"):
		return nothing
	case strings.HasSuffix(name, "Request"), name == "OAuth2Error": // which other servers send incomplete
		return zeroes
	}
	return nulls
}

// instances is the number of random instances of each schema.
var instances = heavy.Count(150, 500)

// TestModels decodes and encodes random instances of every schema. Only the losses in allowed may
// occur.
func TestModels(t *testing.T) {
	for name, schema := range load(t).Components.Schemas {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(len(name))))
			loses := nothing
			for i := range instances {
				instance := Random(rng, schema, Fill(i%3))
				checkInstance(t, schema, instance)
				loses = max(loses, roundTrip(t, schema, instance, models[name]))
				if t.Failed() {
					t.Fatalf("instance %d", i)
				}
			}
			if loses > allowed(name) {
				t.Errorf("its Go type loses %d, and may lose %d", loses, allowed(name))
			}
		})
	}
}

// checkInstance also checks the limits that the validator does not support.
func checkInstance(t *testing.T, schema *openapi3.SchemaRef, instance any) {
	t.Helper()
	if err := schema.Value.VisitJSON(instance, openapi3.MultiErrors()); err != nil {
		t.Errorf("the random instance is not valid: %q", reasons(err))
	}
	if object, ok := instance.(map[string]any); ok {
		if len(object) > limit(schema.Value, "x-max-keys") || len(encode(t, object)) > limit(schema.Value, "x-max-bytes") {
			t.Error("the random instance exceeds the limits of metadata")
		}
	}
}

// goView removes from the parameters of a form what is no field in Go, see the overlay: secrets,
// which forms do not encode, and parameters that the contract does not name.
func goView(schema *openapi3.Schema, instance any) any {
	known := maps.Clone(instance.(map[string]any))
	maps.DeleteFunc(known, func(name string, _ any) bool {
		p := schema.Properties[name]
		return p == nil || p.Value.Format == "password"
	})
	return known
}

// isForm reports that a Go type has no field for a secret of its schema.
func isForm(schema *openapi3.Schema, model reflect.Type) bool {
	if model.Kind() != reflect.Struct {
		return false
	}
	fields := map[string]bool{}
	for i := range model.NumField() {
		name, _, _ := strings.Cut(model.Field(i).Tag.Get("json"), ",")
		fields[name] = true
	}
	for name, p := range schema.Properties {
		if p.Value.Format == "password" && !fields[name] {
			return true
		}
	}
	return false
}

// roundTrip returns what the Go type loses of the instance.
func roundTrip(t *testing.T, schema *openapi3.SchemaRef, instance any, model reflect.Type) loss {
	t.Helper()
	secrets := map[string]any{} // that the caller adds to a form
	if isForm(schema.Value, model) {
		for name, value := range instance.(map[string]any) {
			if p := schema.Value.Properties[name]; p != nil && p.Value.Format == "password" {
				secrets[name] = value
			}
		}
		instance = goView(schema.Value, instance)
	}
	value := reflect.New(model)
	dec := json.NewDecoder(bytes.NewReader(encode(t, instance)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(value.Interface()); err != nil {
		t.Fatalf("decode: %v", err)
	}
	again := decode(t, encode(t, value.Interface()))
	whole := again
	if len(secrets) > 0 {
		whole = maps.Clone(again.(map[string]any))
		maps.Copy(whole.(map[string]any), secrets)
	}
	if err := schema.Value.VisitJSON(whole, openapi3.MultiErrors()); err != nil {
		t.Errorf("the encoded value is invalid: %q", reasons(err))
	}
	var sent, revealed []string
	redacted := redact(schema, instance, &sent)
	reveal(value, &revealed)
	slices.Sort(sent)
	slices.Sort(revealed)
	if !slices.Equal(sent, revealed) {
		t.Error("a revealed secret differs from what was sent")
	}
	for loses := nothing; ; loses++ {
		got, want := normal(schema, again, loses), normal(schema, redacted, loses)
		if reflect.DeepEqual(got, want) {
			return loses
		}
		if loses == zeroes {
			t.Errorf("Go changes %v", changed("", got, want)) // the place only: the value may be a secret
			return loses
		}
	}
}

// changed lists the places where two values differ.
func changed(at string, a, b any) (pointers []string) {
	x, isObject := a.(map[string]any)
	y, _ := b.(map[string]any)
	if !isObject || y == nil {
		if !reflect.DeepEqual(a, b) {
			return []string{at}
		}
		return nil
	}
	names := maps.Clone(x)
	maps.Copy(names, y)
	for name := range names {
		pointers = append(pointers, changed(at+"/"+name, x[name], y[name])...)
	}
	return pointers
}

// redact collects the secrets of an instance, and replaces those of responses with what
// encoding/json writes for them.
func redact(schema *openapi3.SchemaRef, v any, secrets *[]string) any {
	switch v := v.(type) {
	case string:
		if schema.Value.Format == "password" {
			*secrets = append(*secrets, v)
			if !schema.Value.WriteOnly {
				return secret.Placeholder
			}
		}
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = item
			if schema.Value.Items != nil {
				out[i] = redact(schema.Value.Items, item, secrets)
			}
		}
		return out
	case map[string]any:
		fields, _ := members(schema)
		out := maps.Clone(v)
		for name, field := range fields {
			if member, ok := v[name]; ok {
				out[name] = redact(field[len(field)-1], member, secrets)
			}
		}
		return out
	}
	return v
}

// normal removes the optional fields that a Go type loses.
func normal(schema *openapi3.SchemaRef, v any, loses loss) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = item
			if schema.Value.Items != nil {
				out[i] = normal(schema.Value.Items, item, loses)
			}
		}
		return out
	case map[string]any:
		fields, _ := members(schema)
		required := requiredFields(schema.Value)
		out := map[string]any{}
		for name, member := range v {
			zero := member == "" || member == false || member == json.Number("0")
			if fields[name] != nil && !required[name] && (loses >= nulls && member == nil || loses == zeroes && zero) {
				continue
			}
			out[name] = member
			if field := fields[name]; field != nil {
				out[name] = normal(field[len(field)-1], member, loses)
			}
		}
		return out
	}
	return v
}

// reveal collects the secrets of a Go value.
func reveal(v reflect.Value, secrets *[]string) {
	switch s := v.Interface().(type) {
	case secret.String:
		if !s.IsZero() {
			*secrets = append(*secrets, s.Reveal())
		}
		return
	case secret.Outgoing:
		if !s.IsZero() {
			*secrets = append(*secrets, s.Reveal())
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			reveal(v.Elem(), secrets)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() { // a choice keeps its JSON in another field
				reveal(v.Field(i), secrets)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			reveal(v.Index(i), secrets)
		}
	}
}

// TestRandomReaches checks that the generator covers everything: every declared field present and
// absent, every null, every known value, and further members where they are allowed.
func TestRandomReaches(t *testing.T) {
	doc := load(t)
	rng := rand.New(rand.NewPCG(2, 2))
	seen := map[string]bool{}
	for range 500 {
		client := Random(rng, doc.Components.Schemas["M2MClient"], FillSome).(map[string]any)
		metadata, ok := client["trusted_metadata"].(map[string]any)
		seen["metadata"] = seen["metadata"] || ok
		seen["no metadata"] = seen["no metadata"] || !ok
		seen["further members"] = seen["further members"] || len(metadata) > 1
		next, ok := client["next_client_secret_last_four"]
		seen["null"] = seen["null"] || ok && next == nil
		seen["not null"] = seen["not null"] || next != nil
		seen["active"] = seen["active"] || client["status"] == "active"
		seen["another status"] = seen["another status"] || client["status"] != "active" && client["status"] != "inactive"
		search := Random(rng, doc.Components.Schemas["SearchM2MClientsRequest"], FillSome).(map[string]any)
		for _, limit := range []json.Number{"0", "1", "1000"} {
			seen["limit "+limit.String()] = seen["limit "+limit.String()] || search["limit"] == limit
		}
		token := Random(rng, doc.Components.Schemas["IssueM2MTokenRequest"], FillSome).(map[string]any)
		seen["further parameters"] = seen["further parameters"] || len(token) > 4
	}
	for what, ok := range seen {
		if !ok {
			t.Errorf("never: %s", what)
		}
	}
	required := Random(rng, doc.Components.Schemas["CreateConnectedAppRequest"], FillRequired).(map[string]any)
	if len(required) != 1 {
		t.Errorf("%d fields, only client_type is required", len(required))
	}
	all := Random(rng, doc.Components.Schemas["ConnectedApp"], FillAll).(map[string]any)
	if fields, _ := members(doc.Components.Schemas["ConnectedApp"]); len(all) != len(fields) {
		t.Errorf("%d fields of %d", len(all), len(fields))
	}
	for name, value := range all {
		if value == nil {
			t.Errorf("%s is null", name)
		}
	}
}

func TestRandomRefuses(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an unsupported keyword is ignored")
		}
	}()
	Random(rand.New(rand.NewPCG(0, 0)), openapi3.NewStringSchema().WithPattern("^a$").NewRef(), FillSome)
}

func TestRandomRepeats(t *testing.T) {
	schema := load(t).Components.Schemas["SearchM2MClientsResponse"]
	run := func() (instance, mutant any) {
		rng := rand.New(rand.NewPCG(3, 3))
		instance = Random(rng, schema, FillSome)
		return instance, Mutate(rng, instance)
	}
	a, mutantA := run()
	b, mutantB := run()
	if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(mutantA, mutantB) {
		t.Error("the same seed gives different values")
	}
}

// TestMutate checks that mutants are JSON, that most are invalid, and that the original is
// unchanged.
func TestMutate(t *testing.T) {
	schema := load(t).Components.Schemas["SearchM2MClientsRequest"]
	rng := rand.New(rand.NewPCG(4, 4))
	invalid := 0
	for range 500 {
		instance := Random(rng, schema, FillAll)
		before := encode(t, instance)
		mutant := decode(t, encode(t, Mutate(rng, instance)))
		if !bytes.Equal(encode(t, instance), before) {
			t.Fatal("the original has changed")
		}
		if schema.Value.VisitJSON(mutant) != nil {
			invalid++
		}
	}
	if invalid < 250 {
		t.Errorf("only %d of 500 mutants are invalid", invalid)
	}
}

func load(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal("cannot be encoded:", err)
	}
	return data
}

func decode(t testing.TB, data []byte) (v any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal("is not JSON:", err)
	}
	return v
}

// Schemas that the contract does not have yet: formats, choices, and a reference to itself.
func TestRandomOfOtherSchemas(t *testing.T) {
	loop := openapi3.NewObjectSchema().WithProperty("name", openapi3.NewStringSchema())
	loop.Properties["next"] = loop.NewRef()
	loop.Properties["list"] = openapi3.NewArraySchema().WithItems(loop).NewRef()
	schemas := map[string]*openapi3.Schema{
		"oneOf":  openapi3.NewOneOfSchema(openapi3.NewStringSchema(), openapi3.NewInt64Schema()),
		"anyOf":  openapi3.NewAnyOfSchema(openapi3.NewStringSchema(), openapi3.NewBoolSchema()),
		"itself": loop, "number": openapi3.NewFloat64Schema(), "map": openapi3.NewObjectSchema().WithAdditionalProperties(loop),
	}
	for _, format := range []string{"date", "date-time", "byte", "email", "uuid", "uri"} {
		schemas[format] = openapi3.NewStringSchema().WithFormat(format)
	}
	for name, schema := range schemas {
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range 200 {
			var plain any
			data, err := json.Marshal(Random(rng, schema.NewRef(), Fill(i%3)))
			if err == nil {
				err = json.Unmarshal(data, &plain)
			}
			if err == nil {
				err = schema.VisitJSON(plain)
			}
			if err != nil {
				t.Fatalf("%s: %s: %v", name, data, err)
			}
			_ = strays(schema.NewRef(), plain, nil)
		}
	}
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "teach it in internal/contract/random.go") {
			t.Errorf("panicked with %q", text)
		}
	}()
	Random(rand.New(rand.NewPCG(1, 2)), openapi3.NewStringSchema().WithPattern("a+").NewRef(), FillAll)
}

// A schema may be a part of itself. The parts of another one may refer to each other.
func TestRequiredFieldsOfARecursiveSchema(t *testing.T) {
	part := func(required string) *openapi3.Schema {
		s := openapi3.NewObjectSchema().WithProperty(required, openapi3.NewBoolSchema())
		s.Required = []string{required}
		return s
	}
	itself, first, second := part("a"), part("b"), part("c")
	itself.AllOf = openapi3.SchemaRefs{itself.NewRef(), first.NewRef()}
	first.AllOf, second.AllOf = openapi3.SchemaRefs{second.NewRef()}, openapi3.SchemaRefs{first.NewRef()}
	for schema, want := range map[*openapi3.Schema][]string{itself: {"a", "b", "c"}, first: {"b", "c"}, second: {"b", "c"}} {
		if got := slices.Sorted(maps.Keys(requiredFields(schema))); !slices.Equal(got, want) {
			t.Errorf("required %q, want %q", got, want)
		}
		instance, ok := Random(rand.New(rand.NewPCG(1, 2)), schema.NewRef(), FillRequired).(map[string]any)
		if got := slices.Sorted(maps.Keys(instance)); !ok || !slices.Equal(got, want) {
			t.Errorf("an instance has %q, want %q", got, want)
		}
	}
}
