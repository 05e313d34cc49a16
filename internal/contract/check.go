package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

var options = openapi3filter.Options{
	MultiError:                        true,
	IncludeResponseStatus:             true,
	SkipSettingDefaults:               true, // the body is sent unchanged
	RejectWhenRequestBodyNotSpecified: true,
	SchemaValidationOptions:           []openapi3.SchemaValidationOption{openapi3.DisableSchemaErrorDetails()}, // the details are never used
	AuthenticationFunc: func(_ context.Context, in *openapi3filter.AuthenticationInput) error {
		user, password, _ := in.RequestValidationInput.Request.BasicAuth()
		if password == "" || in.SecuritySchemeName == "project" && !isProject(user) {
			return errors.New("the credentials of a project are missing")
		}
		return nil
	},
}

func isProject(user string) bool {
	return strings.HasPrefix(user, "project-test-") || strings.HasPrefix(user, "project-live-")
}

func takesProject(route *routers.Route) bool {
	security := route.Spec.Security
	if route.Operation.Security != nil {
		security = *route.Operation.Security
	}
	return slices.ContainsFunc(security, func(r openapi3.SecurityRequirement) bool { return r["project"] != nil })
}

func checkRequest(input *openapi3filter.RequestValidationInput) []string {
	req := input.Request
	found := reasons(openapi3filter.ValidateRequest(req.Context(), input))
	if user, _, _ := req.BasicAuth(); isProject(user) && !takesProject(input.Route) {
		found = append(found, "sends the credentials of a project to an operation that does not take them")
	}
	if req.URL.RawQuery != "" {
		found = append(found, "has a query, but no operation takes one")
	}
	if req.GetBody != nil && isJSON(req.Header) {
		body, _ := req.GetBody()
		if data, _ := io.ReadAll(body); len(data) > 0 && !json.Valid(data) {
			found = append(found, "body is not one JSON value")
		}
	}
	return found
}

func checkResponse(input *openapi3filter.RequestValidationInput, resp *http.Response, data []byte, strict bool) []string {
	ref := input.Route.Operation.Responses.Status(resp.StatusCode)
	if ref == nil {
		return []string{"the contract has no such status"}
	}
	found := reasons(openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Options: &options,
		Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(data)),
	}))
	switch {
	case found != nil:
		return found
	case !json.Valid(data): // the validator stops after the first JSON value
		return []string{"body is not one JSON value"}
	case strict:
		return drift(ref.Value, resp.StatusCode, data)
	}
	return nil
}

func isJSON(h http.Header) bool { return strings.HasPrefix(h.Get("Content-Type"), "application/json") }
