package conformance

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/stytchkit/m2m/internal/operation"
)

// A liar is a transport that changes one kind of message, and collects the secrets that pass.
type liar struct {
	base http.RoundTripper
	lie  lie

	mu      sync.Mutex
	secrets []string
}

func (l *liar) RoundTrip(req *http.Request) (*http.Response, error) {
	op, _ := operation.Match(req.Method, req.URL.EscapedPath())
	struck := op != nil && op.ID == l.lie.operation
	if struck && l.lie.request != nil {
		l.change(req)
	}
	resp, err := l.base.RoundTrip(req)
	if err != nil || resp.StatusCode >= 300 {
		return resp, err
	}
	var body map[string]any
	dec := json.NewDecoder(resp.Body)
	dec.UseNumber() // everything but the lie stays as it is
	err = dec.Decode(&body)
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	l.keep(body)
	if struck && l.lie.response != nil {
		l.lie.response(body)
	}
	if struck && l.lie.status != 0 {
		resp.StatusCode = l.lie.status
	}
	data, err := json.Marshal(body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	resp.Header.Del("Content-Length")
	return resp, err
}

// change edits a request whose body is JSON or a form.
func (l *liar) change(req *http.Request) {
	body := map[string]any{}
	if req.Body == nil {
		l.lie.request(req, body)
		return
	}
	data, _ := io.ReadAll(req.Body)
	if req.Header.Get("Content-Type") == form {
		values, _ := url.ParseQuery(string(data))
		for name := range values {
			body[name] = values.Get(name)
		}
		l.lie.request(req, body)
		for name := range values {
			if text, ok := body[name].(string); ok {
				values.Set(name, text)
			} else {
				values.Del(name)
			}
		}
		data = []byte(values.Encode())
	} else {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		_ = dec.Decode(&body)
		l.lie.request(req, body)
		data, _ = json.Marshal(body)
	}
	req.Body, req.ContentLength, req.GetBody = io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
}

func (l *liar) keep(value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if text, ok := member.(string); ok && (strings.HasSuffix(name, "_secret") || name == "access_token") {
				l.mu.Lock()
				l.secrets = append(l.secrets, text)
				l.mu.Unlock()
			}
			l.keep(member)
		}
	case []any:
		for _, item := range value {
			l.keep(item)
		}
	}
}
