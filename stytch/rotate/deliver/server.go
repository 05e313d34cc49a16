package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/stytchkit/m2m/internal/conns"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch/secret"
)

// server is the HTTP API of a secret store.
type server struct {
	name      string // in errors: "Vault at host:port"
	base      *url.URL
	client    *http.Client
	token     func(context.Context) (secret.String, error)
	authorize func(h http.Header, token string)
	limit     int64 // bytes of a response body
}

// response is what a server sent, and what of it must be redacted.
type response struct {
	status   int
	header   http.Header
	body     []byte
	redactor *redact.Redactor // knows what the request held
}

// newServer checks the configuration of the deliverer what. client may be nil.
func newServer(what, address string, client *http.Client, token func(context.Context) (secret.String, error)) (*server, error) {
	base, err := project.ParseBaseURL(address)
	if err != nil {
		return nil, invalid(what, "Address: %w", err)
	}
	if token == nil {
		return nil, invalid(what, "Token must not be nil")
	}
	own := http.Client{Transport: conns.New()}
	if client != nil {
		own = *client
	}
	// Only this server may see the token and the secrets.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.Transport = conns.Hide(own.Transport)
	return &server{name: what + " at " + base.Host, base: base, client: &own, token: token}, nil
}

// escapePath makes the path of a URL from segments of plain text.
func escapePath(path string) (string, error) {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if s == "" || s == "." || s == ".." || strings.ContainsFunc(s, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }) {
			return "", errors.New("must not have empty or dot segments, backslashes or control characters")
		}
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/"), nil
}

// request is one call of a server's API.
type request struct {
	method, path string // escaped
	header       http.Header
	body         []byte
	redactor     *redact.Redactor // knows the secrets in the body
}

// send makes one request. After an error it is not known whether the request took effect.
func (s *server) send(ctx context.Context, r request) (response, error) {
	token, err := s.token(ctx)
	if err != nil {
		return response{}, fmt.Errorf("deliver: %s: token: %w", s.name, r.redactor.Error(err))
	}
	text := token.Reveal()
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return response{}, fmt.Errorf("deliver: %s: token must be printable ASCII without spaces, and not empty", s.name)
	}
	redactor := r.redactor.With(text)
	req, err := http.NewRequestWithContext(ctx, r.method, s.base.String()+r.path, bytes.NewReader(r.body))
	if err != nil {
		return response{}, fmt.Errorf("deliver: %s: %w", s.name, redactor.Error(err))
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", "application/json")
	s.authorize(req.Header, text)
	resp, err := s.client.Do(req)
	if err != nil {
		return response{}, fmt.Errorf("deliver: %s: %w", s.name, redactor.Error(err))
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, s.limit+1))
	if err != nil {
		return response{}, fmt.Errorf("deliver: %s: %s %s: cannot read the response: %w", s.name, r.method, r.path, redactor.Error(err))
	}
	if int64(len(data)) > s.limit {
		return response{}, fmt.Errorf("deliver: %s: %s %s: status %d: response is larger than %d bytes",
			s.name, r.method, r.path, resp.StatusCode, s.limit)
	}
	return response{resp.StatusCode, resp.Header, data, redactor}, nil
}

// failure is an unsuccessful response as an error: the request, the status, what it means and what
// the server said.
func (s *server) failure(r request, resp response, meaning, said string) error {
	text := fmt.Sprintf("deliver: %s: %s %s: status %d", s.name, r.method, r.path, resp.status)
	if resp.status/100 == 3 {
		meaning = "redirects are refused because only this server may see the token: set Address to the server itself"
	}
	if meaning != "" {
		text += ": " + meaning
	}
	if seconds, err := strconv.ParseUint(resp.header.Get("Retry-After"), 10, 31); err == nil {
		text += fmt.Sprintf("; retry after %v", time.Duration(seconds)*time.Second)
	}
	if said = resp.redactor.Line(said, maxQuoted); said != "" {
		text += fmt.Sprintf("; the server said %q", said)
	}
	return errors.New(text)
}
