// Package gen is the client of Stytch's machine-to-machine API, generated from api/openapi.yaml. It
// has the models, and a method for each operation.
//
// It can be used on its own. A [Client] sends requests and returns the plain *http.Response;
// [ClientWithResponses] also decodes it. Neither authenticates, retries, bounds the size of a
// response, or keeps the status of a response that is not the expected JSON. Package stytch does
// all of that, as a client of its own or as the HTTP client of this one:
//
//	client, err := stytch.FromEnv()
//	...
//	raw, err := gen.NewClientWithResponses(client.BaseURL(), gen.WithHTTPClient(client))
//
// Without package stytch, authenticate with a request editor that calls
// [net/http.Request.SetBasicAuth]: with the project id and secret for the management operations,
// with the client id and secret for IssueM2MToken.
//
// Secrets have the types of package secret, which print a placeholder. A result of
// ClientWithResponses with a secret prints only its status; its Body is the response as received,
// with the secret.
//
// Trusted metadata is raw JSON, a metadata.Object. In an update, fields that are not specified stay
// unchanged; in a create request, fields with their zero value are not sent.
//
// All code is written by go generate. Edit api/openapi.yaml or api/go.overlay.yaml instead.
package gen

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config ../api/codegen/models.yaml ../api/openapi.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config ../api/codegen/client.yaml ../api/openapi.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config ../api/codegen/server.yaml ../api/openapi.yaml
//go:generate go run ../api/codegen/operations
