package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stytchkit/m2m/internal/contract"
)

// A fact is what is known about one operation of Stytch from its documentation, libraries and
// responses.
type fact struct {
	ID           string
	Method, Path string
	Request      []field
	Response     []field
	Errors       []struct {
		Status    int
		Certainty string `json:"status_certainty"`
		Type      string `json:"error_type"`
		Message   string
	}
	ContentTypes []string `json:"content_types"`

	AlternatePaths []string `json:"alternate_paths"`
}

// A field is named by its path, such as clients[].scopes; "*" stands for additional ones. Nullable
// may be "unknown".
type field struct {
	Name, In, Type   string
	Required         bool
	Nullable         any
	Enum             []any
	Default          any
	Minimum, Maximum *float64
	MinLength        uint64 `json:"min_length"`
	MaxKeys          any    `json:"max_keys"`
	MaxBytes         any    `json:"max_bytes"`
}

// deviations lists where the contract deliberately differs from the facts, and why.
var deviations = map[string]string{
	"internal_server_error":                                                 "newer pages, and an observed response, have the text of the example",
	"SearchM2MClients request query.operands required":                      "Stytch's description contradicts itself; the contract takes the lenient side",
	"IssueM2MToken request client_id required":                              "HTTP Basic may carry it",
	"IssueM2MToken request client_secret required":                          "HTTP Basic may carry it",
	"IssueM2MTokenOnProjectDomain request client_id required":               "as above",
	"IssueM2MTokenOnProjectDomain request client_secret required":           "as above",
	"IntrospectToken request client_id required":                            "as above",
	"IntrospectTokenOnProjectDomain request client_id required":             "as above",
	"RevokeToken request client_id required":                                "as above",
	"RevokeTokenOnProjectDomain request client_id required":                 "as above",
	"RegisterConnectedApp":                                                  "the reference describes it, the facts do not yet",
	"GetAuthorizationServerMetadata":                                        "only its address on the domain of a project was observed; this one is assumed",
	"GetAuthorizationServerMetadataOnProjectDomain":                         "observed in public, the facts do not have it yet",
	"UpdateConnectedApp request full_access_allowed nullable":               "every field of an update takes null, which the schema marks as assumed",
	"UpdateConnectedApp request bypass_consent_for_offline_access nullable": "as above",
	"UpdateConnectedApp request access_token_expiry_minutes nullable":       "as above",
	"UpdateConnectedApp request access_token_expiry_minutes default":        "a field that is left out of an update keeps its value",
}

func TestFacts(t *testing.T) {
	faults := compare(loadDocument(t), loadFacts(t))
	for key, fault := range faults {
		if deviations[key] == "" {
			t.Errorf("%s: %s", key, fault)
		}
	}
	for key := range deviations {
		if faults[key] == "" {
			t.Errorf("%s: listed as a deviation, but the contract agrees with the facts", key)
		}
	}
}

// Each comparison can fail.
func TestFactsFire(t *testing.T) {
	facts := loadFacts(t)
	for want, apply := range map[string]func(d document){
		"GetJWKS": func(d document) {
			d.Paths.Set("/v1/keys/{project_id}", d.path("/v1/sessions/jwks/{project_id}"))
			d.Paths.Delete("/v1/sessions/jwks/{project_id}")
		},
		"CreateM2MClient request client_name": func(d document) { delete(d.schema("CreateM2MClientRequest").Properties, "client_name") },
		"CreateM2MClient request client_name type": func(d document) {
			d.property("CreateM2MClientRequest", "client_name").Type = &openapi3.Types{"integer"}
		},
		"CreateM2MClient request scopes items": func(d document) {
			d.property("CreateM2MClientRequest", "scopes").Items.Value.Type = &openapi3.Types{"object"}
		},
		"CreateM2MClient request scopes required":             func(d document) { d.schema("CreateM2MClientRequest").Required = nil },
		"CreateM2MClient request client_secret minLength":     func(d document) { d.property("CreateM2MClientRequest", "client_secret").MinLength = 1 },
		"CreateM2MClient request trusted_metadata x-max-keys": func(d document) { d.schema("TrustedMetadata").Extensions["x-max-keys"] = 21.0 },
		"SearchM2MClients request limit minimum":              func(d document) { d.property("SearchM2MClientsRequest", "limit").Min = nil },
		"SearchM2MClients request limit maximum":              func(d document) { d.property("SearchM2MClientsRequest", "limit").Max = openapi3.Ptr(100.0) },
		"SearchM2MClients request limit default":              func(d document) { d.property("SearchM2MClientsRequest", "limit").Default = 10.0 },
		"SearchM2MClients request limit format":               func(d document) { d.property("SearchM2MClientsRequest", "limit").Format = "" },
		"SearchM2MClients request query.operator enum":        func(d document) { d.schema("SearchOperator").Enum = []any{"AND"} },
		"SearchM2MClients response m2m_clients[].status enum": func(d document) { d.property("M2MClient", "status").AnyOf[0].Value.Enum = []any{"active"} },
		"GetM2MClient response m2m_client.next_client_secret_last_four nullable": func(d document) {
			d.property("M2MClient", "next_client_secret_last_four").Nullable = false
		},
		"GetConnectedApp response connected_app.creation_method": func(d document) { d.schema("ConnectedApp").AllOf = d.schema("ConnectedApp").AllOf[:1] },
		"GetJWKS response keys[].x5tS256":                        func(d document) { delete(d.schema("JWK").Properties, "x5tS256") },
		"IssueM2MToken request *": func(d document) {
			d.schema("IssueM2MTokenRequest").AdditionalProperties = openapi3.AdditionalProperties{}
		},
		"IssueM2MToken content":                 func(d document) { delete(d.op("IssueM2MToken").RequestBody.Value.Content, "application/json") },
		"GetM2MClient path client_id":           func(d document) { d.path("/v1/m2m/clients/{client_id}").Parameters = nil },
		"GetM2MClient 404 m2m_client_not_found": func(d document) { d.op("GetM2MClient").Responses.Delete("404") },
		"GetM2MClient 403 use_https":            func(d document) { d.response("GetM2MClient", "403").Extensions = errorTypes("organization_suspended") },
		"m2m_client_not_found":                  func(d document) { d.responseExample("GetM2MClient", "404")["error_message"] = "Not found." },
		"search_timeout":                        func(d document) { delete(d.catalogEntry("search_timeout"), "certainty") },
	} {
		doc := loadDocument(t)
		apply(doc)
		if compare(doc, facts)[want] == "" {
			t.Errorf("%s: the difference is not reported", want)
		}
	}
}

func loadFacts(t *testing.T) (facts []fact) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "shared", "api-facts", "operations.json"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the facts about Stytch, ../shared/api-facts/operations.json, are not here")
	}
	if err := errors.Join(err, json.Unmarshal(data, &facts)); err != nil {
		t.Fatal(err)
	}
	return facts
}

// compare returns where the contract and the facts differ. Facts about other routes than those of
// the contract are left out.
func compare(doc document, facts []fact) map[string]string {
	faults := map[string]string{}
	for _, op := range operations(doc.T) {
		faults[op.OperationID] = "there are no facts about its method and path"
	}
	for _, f := range everyPath(facts) {
		if doc.Paths.Value(f.Path) == nil || doc.Paths.Value(f.Path).Operations()[f.Method] == nil {
			continue
		}
		op := doc.Paths.Value(f.Path).Operations()[f.Method]
		id := op.OperationID
		delete(faults, id)
		report := func(where, format string, args ...any) { faults[where] = fmt.Sprintf(format, args...) }
		compareErrors(doc, f, op, report)
		var media []string
		if op.RequestBody != nil {
			for mime, body := range op.RequestBody.Value.Content {
				media = append(media, mime)
				compareFields(id+" request", body.Schema, f.Request, report)
			}
		}
		for _, field := range f.Request {
			if field.In == "path" && doc.Paths.Value(f.Path).Parameters.GetByInAndName("path", field.Name) == nil {
				report(id+" path "+field.Name, "is missing")
			}
			if field.In == "body" && op.RequestBody == nil {
				report(id+" request "+field.Name, "is missing: the operation has no body")
			}
		}
		slices.Sort(media)
		slices.Sort(f.ContentTypes)
		if !slices.Equal(media, f.ContentTypes) {
			report(id+" content", "accepts %v, want %v", media, f.ContentTypes)
		}
		compareFields(id+" response", doc.responseBody(id, "200").Schema, f.Response, report)
	}
	return faults
}

// everyPath repeats a fact for each of its addresses, relative to their servers. On the domain of a
// project there is no project id.
func everyPath(facts []fact) (all []fact) {
	for _, f := range facts {
		for _, path := range append([]string{f.Path}, f.AlternatePaths...) {
			same := f
			var onDomain bool
			if same.Path, onDomain = strings.CutPrefix(path, "https://{project_domain}"); onDomain {
				same.Request = slices.DeleteFunc(slices.Clone(f.Request), func(p field) bool { return p.Name == "project_id" })
			}
			all = append(all, same)
		}
	}
	return all
}

func compareErrors(doc document, f fact, op *openapi3.Operation, report reportFunc) {
	for _, e := range f.Errors {
		if strings.HasPrefix(e.Type, "(") {
			continue // a case without a name
		}
		at := fmt.Sprint(op.OperationID, " ", e.Status, " ", e.Type)
		ref := op.Responses.Status(e.Status)
		if ref == nil || !slices.Contains(texts(ref.Value.Extensions["x-error-types"]), e.Type) {
			report(at, "is missing")
			continue
		}
		certainty, marked := doc.catalogEntry(e.Type)["certainty"]
		if documented := !marked || certainty == "documented"; documented != (e.Certainty == "documented") {
			report(e.Type, "its certainty is %v in the contract, and %s in the facts", certainty, e.Certainty)
		}
		for example := range exampleValues(ref.Value.Content.Get("application/json")) {
			object := example.(map[string]any)
			if e.Message != "" && object["error_type"] == e.Type && object["error_message"] != e.Message {
				report(e.Type, "the message of the example is not the documented one")
			}
		}
	}
}

func compareFields(where string, body *openapi3.SchemaRef, fields []field, report reportFunc) {
	for _, f := range fields {
		if f.In == "path" {
			continue
		}
		at := where + " " + f.Name
		parent, got := find(body, strings.Split(strings.ReplaceAll(f.Name, "[]", ".[]"), "."))
		if got == nil {
			report(at, "is missing")
			continue
		}
		for _, difference := range differences(f, parent, got, strings.HasSuffix(where, "response")) {
			report(at+" "+difference[0], "%s", difference[1])
		}
	}
}

// differences returns pairs of what differs and how.
func differences(f field, parent, got *openapi3.Schema, response bool) (all [][2]string) {
	differ := func(what string, got, want any) {
		if !reflect.DeepEqual(got, want) {
			all = append(all, [2]string{what, fmt.Sprintf("is %v, not %v", got, want)})
		}
	}
	kind, format, _ := strings.Cut(strings.TrimSuffix(f.Type, ")"), "(")
	kind, items, isArray := strings.Cut(strings.TrimSuffix(kind, ">"), "<")
	if kind != "any" {
		if len(got.AllOf) == 0 && contract.KnownValues(got) == nil {
			differ("type", got.Type.Slice(), []string{kind})
		}
		differ("required", slices.Contains(parent.Required, f.Name[strings.LastIndex(f.Name, ".")+1:]), f.Required)
	}
	if isArray && items == "string" {
		differ("items", got.Items.Value.Type.Slice(), []string{"string"})
	}
	if format == "int32" {
		differ("format", got.Format, format)
	}
	if nullable, known := f.Nullable.(bool); known && kind != "any" {
		differ("nullable", got.Nullable, nullable)
	}
	if len(f.Enum) > 0 {
		values := slices.DeleteFunc(slices.Clone(got.Enum), func(v any) bool { return v == nil })
		if response {
			values = contract.KnownValues(got)
		}
		differ("enum", values, f.Enum)
	}
	if f.Default != nil && !response {
		differ("default", got.Default, f.Default)
	}
	if f.Minimum != nil {
		differ("minimum", got.Min, f.Minimum)
	}
	if f.Maximum != nil {
		differ("maximum", got.Max, f.Maximum)
	}
	if f.MinLength > 0 {
		differ("minLength", got.MinLength, f.MinLength)
	}
	if f.MaxKeys != nil {
		differ("x-max-keys", got.Extensions["x-max-keys"], f.MaxKeys)
		differ("x-max-bytes", got.Extensions["x-max-bytes"], f.MaxBytes)
	}
	return all
}

// find follows a path to a property through the parts of an allOf. It also returns the part that
// declares the property.
func find(ref *openapi3.SchemaRef, path []string) (parent, property *openapi3.Schema) {
	if ref == nil {
		return nil, nil
	}
	s := ref.Value
	var next *openapi3.SchemaRef
	switch path[0] {
	case "[]":
		next = s.Items
	case "*":
		next = s.AdditionalProperties.Schema
	case "<custom claim>":
		if open := s.AdditionalProperties.Has; open != nil && *open {
			return s, &openapi3.Schema{}
		}
	default:
		next = s.Properties[path[0]]
	}
	if next != nil && len(path) > 1 {
		return find(next, path[1:])
	}
	if next != nil {
		return s, next.Value
	}
	for _, part := range slices.Backward(s.AllOf) { // the last part says most
		if parent, property := find(part, path); property != nil {
			return parent, property
		}
	}
	return nil, nil
}
