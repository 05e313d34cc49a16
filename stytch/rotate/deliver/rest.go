package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

const maxToken = 64 << 10 // bytes of a token file

// TokenFile gives the token in a file, which is read again for each request, so that whoever renews it may replace it. Spaces
// around it are ignored. It follows symlinks, because Kubernetes mounts tokens behind them.
func TokenFile(path string) func(context.Context) (secret.String, error) {
	return func(context.Context) (secret.String, error) {
		info, err := os.Stat(path) // before opening, which waits if the file is a pipe
		if err != nil {
			return secret.String{}, err
		}
		if !info.Mode().IsRegular() || info.Size() > maxToken {
			return secret.String{}, fmt.Errorf("token file %s must be a regular file of at most %d bytes", path, maxToken)
		}
		data, err := os.ReadFile(path) //nolint:gosec // the caller's file
		if err != nil {
			return secret.String{}, err
		}
		return secret.New(strings.TrimSpace(string(data))), nil
	}
}

// endpoint is a server that keeps secrets.
type endpoint struct {
	name      string // in errors
	base      *url.URL
	client    *http.Client
	token     func(context.Context) (secret.String, error)
	authorize func(h http.Header, token string)
	limit     int64 // bytes of an answer
}

// answer is what a server said to one request.
type answer struct {
	status int
	header http.Header
	body   []byte
	known  confidential // what the request held
}

// newEndpoint checks what the caller configured. client may be nil.
func newEndpoint(name, address string, client *http.Client, token func(context.Context) (secret.String, error)) (*endpoint, error) {
	base, err := parseAddress(address)
	if err != nil {
		return nil, wrong(rotate.ErrInvalidArgument, "%s: %w", name, err)
	}
	if token == nil {
		return nil, wrong(rotate.ErrInvalidArgument, "%s: Token must not be nil", name)
	}
	ours := http.Client{}
	if client != nil {
		ours = *client
	}
	// The token, and the secrets, are for this server alone.
	ours.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &endpoint{name: name, base: base, client: &ours, token: token}, nil
}

// parseAddress quotes nothing: an address may carry credentials.
func parseAddress(address string) (*url.URL, error) {
	base, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("the Address must be a URL")
	case base.Scheme != "https" && base.Scheme != "http" || base.Hostname() == "":
		return nil, errors.New("the Address must be https://host[:port]")
	case base.User != nil || strings.ContainsAny(address, "?#"):
		return nil, errors.New("the Address must have no user info, query or fragment")
	case base.Scheme == "http" && !loopback(base.Hostname()):
		return nil, errors.New("the Address must be https; plain http is for loopback addresses only")
	}
	prefix := strings.TrimRight(base.EscapedPath(), "/")
	if prefix != "" {
		if _, err := escapePath(base.Path[1:len(strings.TrimRight(base.Path, "/"))]); err != nil {
			return nil, fmt.Errorf("path of Address: %w", err)
		}
	}
	return &url.URL{Scheme: base.Scheme, Host: base.Host, Path: strings.TrimRight(base.Path, "/"), RawPath: prefix}, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// escapePath makes a path of a URL from one whose segments are plain text.
func escapePath(path string) (string, error) {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if s == "" || s == "." || s == ".." || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) {
			return "", errors.New("it must not have empty or dot segments, backslashes or control characters")
		}
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/"), nil
}

// send makes one request. The path is escaped. An error has no answer, so what the request did is not known.
func (e *endpoint) send(ctx context.Context, method, path string, header http.Header, body []byte, known confidential) (answer, error) {
	token, err := e.token(ctx)
	if err != nil {
		return answer{}, fmt.Errorf("deliver: %s: token: %w", e.name, known.guard(err))
	}
	text := token.Reveal()
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return answer{}, fmt.Errorf("deliver: %s: the token must be printable ASCII without spaces, and not empty", e.name)
	}
	known = append(confidential{text}, known...)
	request, err := http.NewRequestWithContext(ctx, method, e.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("deliver: %s: %w", e.name, known.guard(err))
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Accept", "application/json")
	e.authorize(request.Header, text)
	response, err := e.client.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("deliver: %s: %w", e.name, known.guard(err))
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, e.limit+1))
	if err != nil {
		return answer{}, fmt.Errorf("deliver: %s: %s %s: reading the answer: %w", e.name, method, path, known.guard(err))
	}
	if int64(len(data)) > e.limit {
		return answer{}, fmt.Errorf("deliver: %s: %s %s: status %d: the answer is larger than %d bytes", e.name, method, path, response.StatusCode, e.limit)
	}
	return answer{response.StatusCode, response.Header, data, known}, nil
}

// problem is an answer as an error: what was asked, the status, what it means, and what the server said.
func (e *endpoint) problem(a answer, method, path, meaning, said string) error {
	text := fmt.Sprintf("deliver: %s: %s %s: status %d", e.name, method, path, a.status)
	if a.status/100 == 3 {
		meaning = "redirects are refused, the token is for this server alone: give the address of the server itself"
	}
	if meaning != "" {
		text += ": " + meaning
	}
	if seconds, err := strconv.ParseUint(a.header.Get("Retry-After"), 10, 31); err == nil {
		text += fmt.Sprintf("; it asks to wait %v", time.Duration(seconds)*time.Second)
	}
	if said != "" {
		text += "; it said " + a.known.quote(said)
	}
	return errors.New(text)
}
