package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
)

// adminAPI calls the admin API in the same process.
type adminAPI struct{ handler http.Handler }

// An adminError is a refusal of the admin API.
type adminError admin.Error

func (e *adminError) Error() string { return e.ErrorMessage }

// do sends one request and decodes its response into out, unless out is nil.
func (a adminAPI) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	switch in := in.(type) {
	case nil:
	case io.Reader:
		body = in
	default:
		data, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://localhost"+Root+"v1"+path, body)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := local(a).RoundTrip(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		refused := &adminError{}
		if json.Unmarshal(data, refused) != nil || refused.ErrorMessage == "" {
			*refused = adminError{StatusCode: response.StatusCode, ErrorType: "internal_error", ErrorMessage: "The admin API responded with status " + fmt.Sprint(response.StatusCode) + "."}
		}
		return refused
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("decode the response of %s: %w", path, err)
	}
	return nil
}

// get reads one resource.
func get[T any](ctx context.Context, a adminAPI, path string) (T, error) {
	var out T
	err := a.do(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

// refusal is the message of an error of the admin API that the person can do something about. Other
// errors are not: ok is false.
func refusal(err error) (text string, ok bool) {
	var refused *adminError
	if errors.As(err, &refused) && refused.StatusCode < http.StatusInternalServerError {
		return refused.ErrorMessage, true
	}
	return "", false
}
