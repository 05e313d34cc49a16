package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

func respond(w http.ResponseWriter, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil { // of what this package made itself
		http.Error(w, "the response cannot be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// decode reads the body of a request, or responds with what is wrong with it.
func decode[T any](w http.ResponseWriter, r *http.Request) (value T, ok bool) {
	text, err := io.ReadAll(r.Body)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("The body has more than %d bytes. Nothing was changed.", tooLarge.Limit))
		return value, false
	}
	if err == nil {
		err = unmarshal(text, &value)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", "The body: "+err.Error()+". Nothing was changed.")
		return value, false
	}
	return value, true
}

// unmarshal decodes one JSON value and refuses unknown fields. Its errors name the field, and never
// quote the body.
func unmarshal(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return errors.New("more follows after the JSON value")
		}
		return nil
	}
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("it is empty, and must be a JSON object")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON ends too early")
	case errors.As(err, &wrongType) && wrongType.Field == "":
		return errors.New("it must be a JSON object")
	case errors.As(err, &wrongType):
		return fmt.Errorf("%s must not be of the type %s", wrongType.Field, wrongType.Value)
	case errors.As(err, &syntax):
		return fmt.Errorf("this is not JSON, at byte %d", syntax.Offset)
	}
	if _, name, found := strings.Cut(err.Error(), "json: unknown field "); found {
		name = strings.Trim(name, `"`)
		return fmt.Errorf("unknown field %q%s", name, strings.TrimSuffix(cli.Nearest(name, fields(into)), "."))
	}
	return err
}

// fields are the names of the fields of a struct in JSON.
func fields(of any) (names []string) {
	t := reflect.TypeOf(of).Elem()
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return slices.Compact(names)
}
