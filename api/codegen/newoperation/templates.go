package main

import "text/template"

func parse(text string) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"lowerFirst": lowerFirst}).Parse(text))
}

var pathTemplate = parse(`  {{.Path}}:
{{- if .Param}}
    parameters:
      - $ref: "#/components/parameters/{{.ParamRef}}"
{{- end}}
    {{.Method}}:
      operationId: {{.Name}}
      tags: [{{.Tag}}]
      summary: "TODO: a few words"
      description: "TODO: what it does, and what a caller must know. Check x-safety, and mark what Stytch does not document with x-certainty."
      x-safety: {{.Safety}}
{{- if .Body}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/{{.Name}}Request"}
            example: {}
{{- end}}
      responses:
        "200":
          description: "TODO: what is returned."
          content:
            application/json:
              schema: {$ref: "#/components/schemas/{{.Name}}Response"}
              example:
                request_id: request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141
                status_code: 200
{{- range .Errors}}
        {{.}}
{{- end}}
`)

var schemaTemplate = parse(`{{if .Body}}    {{.Name}}Request:
      type: object
      additionalProperties: false
      description: "TODO: what is sent; then its properties."
{{end}}    {{.Name}}Response:
      type: object
      description: "TODO: what is returned; then its properties."
      required: [request_id, status_code]
      properties:
        request_id: {type: string, description: Identifies the request to Stytch's support.}
        status_code: {type: integer, format: int32, description: The HTTP status of the response.}
`)

var emulatorTemplate = parse(`package emulator

import (
	"errors"
	"net/http"
{{- if .Body}}

	"github.com/stytchkit/m2m/gen/server"
{{- end}}
)

// {{.Name}} is not served yet: it fails every request.
func (s *service) {{.Name}}(w http.ResponseWriter, r *http.Request{{if .Param}}, id string{{end}}) {
	op := operation{id: "{{.Name}}"{{if eq .Param "client_id"}}, subject: id{{end}}{{if .Body}}, body: server.{{.Name}}Request{}{{end}}}
	s.serve(w, r, op, func(*exchange) (response, error) {
		return response{}, errors.New("{{.Name}}: serve it in stytch/emulator/{{.File}}.go")
	})
}
`)

var wrapperTemplate = parse(`package stytch

import (
	"context"

	"github.com/stytchkit/m2m/gen"
{{- if .Param}}
	"github.com/stytchkit/m2m/internal/operation"
{{- end}}
)

// {{.Verb}} is new: say here what a caller must know, and which errors to expect.
func (s *{{.Service}}) {{.Verb}}(ctx context.Context{{if .Param}}, clientID string{{end}}{{if .Body}}, r gen.{{.Name}}Request{{end}}) (*gen.{{.Name}}Response, error) {
{{- if .Param}}
	if err := checkClientID(operation.{{.Name}}, clientID); err != nil {
		return nil, err
	}
{{- end}}
	return decode[gen.{{.Name}}Response](s.sender.api.{{.Name}}(ctx{{if .Param}}, clientID{{end}}{{if .Body}}, r{{end}}))
}
`)

var endpointTemplate = parse(`{operation.{{.Name}},
	func(ctx context.Context, c *stytch.Client, {{if .Param}}id{{else}}_{{end}} string) error {
		return must(c.{{.Service}}.{{.Verb}}(ctx{{if .Param}}, id{{end}}{{if .Body}}, gen.{{.Name}}Request{}{{end}}))
	},
	func(ctx context.Context, c *gen.Client, {{if .Param}}id{{else}}_{{end}} string) (*http.Response, error) {
		return c.{{.Name}}(ctx{{if .Param}}, id{{end}}{{if .Body}}, gen.{{.Name}}Request{}{{end}})
	},
	func(ctx context.Context, c *gen.ClientWithResponses, {{if .Param}}id{{else}}_{{end}} string) error {
		return must(c.{{.Name}}WithResponse(ctx{{if .Param}}, id{{end}}{{if .Body}}, gen.{{.Name}}Request{}{{end}}))
	}},
`)

var lifeTemplate = parse(`if err := must(c.{{.Service}}.{{.Verb}}(ctx{{if .Param}}, made.ClientID{{end}}{{if .Body}}, gen.{{.Name}}Request{}{{end}})); err != nil {
	return err
}
`)

var suiteTemplate = parse(`package conformance

func (s *suite) {{lowerFirst .Name}}(t reporter) {
	t.Fatal("call {{.Name}} here, through s.api.{{.Service}}.{{.Verb}}, and check what it returns")
}
`)
