// Package gen is the client of Stytch's machine-to-machine API as generated from api/openapi.yaml: models, and one method
// for every operation.
//
// It is usable on its own. A [Client] sends what it is told and returns the plain *http.Response; [ClientWithResponses]
// also decodes it. Neither authenticates, retries, limits what it reads, or keeps the status of an answer that is not
// the JSON it expected. Package stytch adds all of that, either as its own client or underneath this one:
//
//	client, err := stytch.FromEnv()
//	...
//	raw, err := gen.NewClientWithResponses(client.BaseURL(), gen.WithHTTPClient(client))
//
// Without it, authenticate with a request editor that calls [net/http.Request.SetBasicAuth]: the project id and secret for
// the management operations, the client id and secret for IssueM2MToken.
//
// Secrets are redacting types from package secret, and the results of ClientWithResponses that hold one print their status
// only; their Body is the answer as it came, secret included.
//
// In the models, trusted metadata stays raw JSON in a metadata.Object. In an update, a
// field that is not specified is left alone; in a create request the zero value means "not given".
//
// Everything here is written by go generate; edits belong in api/openapi.yaml or api/go.overlay.yaml.
package gen

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config ../api/codegen/models.yaml ../api/openapi.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config ../api/codegen/client.yaml ../api/openapi.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config ../api/codegen/server.yaml ../api/openapi.yaml
//go:generate go run ../api/codegen/operations
