package admin_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
)

// stream opens a stream and reads its first comment.
func (w *world) stream(ctx context.Context, url, after string) *bufio.Scanner {
	w.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", url+admin.Base+"/requests/stream", nil)
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", after)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { response.Body.Close() })
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" {
		w.Fatalf("Content-Type %q", kind)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Scan()
	return lines
}

type event struct {
	id      string
	request admin.LoggedRequest
}

// next reads the next event.
func next(t *testing.T, lines *bufio.Scanner) (e event) {
	t.Helper()
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			e.id = value
		case "data":
			if err := json.Unmarshal([]byte(value), &e.request); err != nil {
				t.Fatal(err)
			}
			return e
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
	return e
}

func decodeToken(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}
