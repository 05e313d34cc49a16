package stytch

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/operation"
)

// A secret does not stay in a buffer that later responses use.
func TestPooledBuffersHoldNoSecret(t *testing.T) {
	const text = "secret-of-one-response"
	header := http.Header{"Content-Type": {"application/json"}}
	for _, op := range operation.All {
		if !op.ReturnsSecret {
			continue
		}
		body := io.NopCloser(strings.NewReader(`{"client_secret":"` + text + `"}`))
		resp := &http.Response{StatusCode: http.StatusOK, Header: header, Body: body, ContentLength: -1}
		r, _, err := readResponse(t.Context(), resp, origin{op: op, redactor: &redactor{}}, 1<<10)
		if err != nil {
			t.Fatal(err)
		}
		buffer := r.Bytes()
		if !bytes.Contains(buffer, []byte(text)) {
			t.Fatalf("%s: %q", op.ID, buffer)
		}
		r.Close()
		if bytes.Contains(buffer, []byte(text)) {
			t.Errorf("%s: the buffer still has the secret", op.ID)
		}
	}
}
