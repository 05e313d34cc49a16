package emulator

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"reflect"
	"strings"
)

// parseBody reads the JSON body of an operation that takes one. model is the generated type of the
// body; optional says that an empty body is allowed.
func (x *exchange) parseBody(model any, optional, strict bool) error {
	if f := x.bodyFailure(); f != nil {
		return f
	}
	x.fields = map[string]json.RawMessage{}
	if len(x.body) == 0 && optional {
		return nil
	}
	if strict && !isJSON(x.r.Header) {
		return because("bad_request", "The Content-Type must be application/json.")
	}
	fields, ok := parseObject(x.body)
	if !ok {
		return because("bad_request", "The request body must be one JSON object.").why("the body %s", jsonFault(x.body))
	}
	x.fields = fields
	if strict {
		return refuseUnknown(fields, model)
	}
	return nil
}

// bodyFailure is the failure for a body that could not be read.
func (x *exchange) bodyFailure() *failure {
	var tooLarge *http.MaxBytesError
	if errors.As(x.bodyErr, &tooLarge) {
		f := because("bad_request", "The request body is too large.")
		f.status = http.StatusRequestEntityTooLarge
		return f
	}
	if x.bodyErr != nil {
		return because("bad_request", "The request body could not be read.")
	}
	return nil
}

func isJSON(h http.Header) bool {
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && mediaType == "application/json"
}

// refuseUnknown refuses fields that the generated model does not have.
func refuseUnknown(fields map[string]json.RawMessage, model any) error {
	known := map[string]bool{"client_id": true} // real clients repeat it wherever the path has it
	t := reflect.TypeOf(model)
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		known[name] = true
	}
	for name := range fields {
		if !known[name] {
			return because("bad_request", "The request body has a field that is not known.")
		}
	}
	return nil
}
