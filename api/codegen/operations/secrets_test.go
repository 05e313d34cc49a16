package main

import (
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// contract is a document with one operation, whose request has the given properties.
func contract(t *testing.T, mime, properties string) (*openapi3.T, *openapi3.Operation) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(`{"openapi":"3.0.3","info":{"title":"t","version":"1"},"paths":{"/a":{"post":{"operationId":"CreateThing",
		"requestBody":{"content":{"` + mime + `":{"schema":{"$ref":"#/components/schemas/CreateThingRequest"}}}},"responses":{"200":{"description":"d"}}}}},
		"components":{"schemas":{"CreateThingRequest":{"type":"object","properties":{` + properties + `}},
		"Part":{"type":"object","properties":{"part":{"$ref":"#/components/schemas/Part"},"secret":{"type":"string","format":"password","writeOnly":true}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return doc, doc.Paths.Value("/a").Post
}

func structsOf(t *testing.T, fields string) map[string]map[string]goField {
	t.Helper()
	structs, err := goFields("models.gen.go", "package gen\ntype CreateThingRequest struct {\n"+fields+"\n}")
	if err != nil {
		t.Fatal(err)
	}
	return structs
}

// A secret in a request, whatever its name, is sent as it is and left out of logs, or nothing is
// generated.
func TestRequestSecrets(t *testing.T) {
	const key = `"signing_key":{"type":"string","format":"password","writeOnly":true}`
	for _, test := range []struct{ name, mime, properties, fields, fails string }{
		{"outgoing", "application/json", key, "SigningKey secret.Outgoing `json:\"signing_key,omitzero\"`", ""},
		{"outgoing in an update", "application/json", key, "SigningKey nullable.Nullable[secret.Outgoing] `json:\"signing_key,omitempty\"`", ""},
		{"left out in Go", "application/x-www-form-urlencoded", key, "", ""},
		{"as in a response", "application/json", key, "SigningKey secret.String `json:\"signing_key,omitzero\"`", "would be sent as a placeholder"},
		{"plain", "application/json", key, "SigningKey *string `json:\"signing_key,omitempty\"`", "would be sent as a placeholder"},
		{"form", "application/x-www-form-urlencoded", key, "SigningKey secret.Outgoing `json:\"signing_key,omitzero\"`", "cannot be sent in a form"},
		{"not writeOnly", "application/json", `"signing_key":{"type":"string","format":"password"}`, "", "is not writeOnly"},
		{"deeper", "application/json", `"part":{"$ref":"#/components/schemas/Part"}`, "", "is not one of its own properties"},
		{"in a list", "application/json", `"parts":{"type":"array","items":{"$ref":"#/components/schemas/Part"}}`, "", "is not one of its own properties"},
		{"in a map", "application/json", `"parts":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/Part"}}`, "", "is not one of its own properties"},
		{"in a choice", "application/json", `"part":{"oneOf":[{"type":"string"},{"$ref":"#/components/schemas/Part"}]}`, "", "is not one of its own properties"},
		{"in another choice", "application/json", `"part":{"anyOf":[{"type":"string"},{"$ref":"#/components/schemas/Part"}]}`, "", "is not one of its own properties"},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc, op := contract(t, test.mime, test.properties)
			structs := structsOf(t, test.fields)
			names, err := requestSecrets(op, structs)
			if test.fails == "" {
				if err != nil || len(names) != 1 || names[0] != "signing_key" {
					t.Errorf("%q, %v", names, err)
				}
				if requests := secretRequests(doc, structs); (test.fields != "") != (len(requests) == 1 && requests[0].Fields[0] == "SigningKey") {
					t.Errorf("%+v", requests)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.fails) || !strings.Contains(err.Error(), "CreateThing") {
				t.Errorf("%v", err)
			}
		})
	}
}

// A schema that refers to itself is searched once.
func TestSchemaThatRefersToItself(t *testing.T) {
	loop := openapi3.NewObjectSchema()
	loop.Properties = openapi3.Schemas{"next": loop.NewRef(), "list": {Value: &openapi3.Schema{Items: loop.NewRef()}}}
	loop.AnyOf = openapi3.SchemaRefs{loop.NewRef()}
	if holdsSecret(loop.NewRef()) {
		t.Error("found a secret where there is none")
	}
	loop.Properties["last"] = &openapi3.SchemaRef{Value: &openapi3.Schema{Format: "password"}}
	if !holdsSecret(loop.NewRef()) {
		t.Error("did not find the secret")
	}
}
