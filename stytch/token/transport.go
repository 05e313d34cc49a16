package token

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/stytchkit/m2m/internal/project"
)

// Transport returns a RoundTripper that adds the source's token to requests for the given hosts,
// and passes all others to base unchanged, so that neither a redirect nor a wrong address reveals
// the token. A host is a name or an address as it appears in a URL, with a port unless that is the
// scheme's default: "api.example.com", "localhost:8080". A request that has an Authorization header
// keeps it. A nil base is [http.DefaultTransport].
//
// The token is sent by https only, and by plain http to loopback addresses; other requests to the
// hosts fail. If the resource server responds with 401 and the error invalid_token, that token is
// dropped, and the request is sent once more with another one if its body can be read again
// (GetBody). A server that keeps rejecting tokens gets new ones more and more slowly, down to one
// in 10 minutes.
//
// Bad hosts make every request fail with [ErrInvalidArgument].
func (s *Source) Transport(base http.RoundTripper, hosts ...string) http.RoundTripper {
	t := &bearer{source: s, base: base, hosts: map[origin]bool{}}
	if base == nil {
		t.base = http.DefaultTransport
	}
	if len(hosts) == 0 {
		t.err = invalid("Transport", "hosts must not be empty")
	}
	for _, host := range hosts {
		u, err := url.Parse("//" + host)
		if err != nil || u.Host != host || u.Hostname() == "" || strings.Contains(host, "*") {
			t.err = invalid("Transport", "host must be a name or an address, with or without a port, and nothing else")
			continue
		}
		for _, scheme := range []string{"http", "https"} {
			u.Scheme = scheme
			t.hosts[originOf(u)] = true
		}
	}
	return t
}

// bearer is a RoundTripper that adds tokens.
type bearer struct {
	source *Source
	base   http.RoundTripper
	hosts  map[origin]bool
	err    error // of its arguments
}

// origin is a scheme, a host and a port.
type origin struct{ scheme, host, port string }

func originOf(u *url.URL) origin {
	o := origin{u.Scheme, strings.ToLower(u.Hostname()), u.Port()}
	if o.port == "" {
		o.port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return o
}

// RoundTrip sends the request, with a token if it is for one of the hosts.
func (t *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.err != nil {
		return nil, refuse(req, t.err)
	}
	if _, own := req.Header["Authorization"]; own || !t.hosts[originOf(req.URL)] {
		return t.base.RoundTrip(req)
	}
	if req.URL.Scheme == "http" && !project.IsLoopback(req.URL.Hostname()) {
		return nil, refuse(req, errPlainHTTP)
	}
	token, err := t.source.Token(req.Context())
	if err != nil {
		return nil, refuse(req, err)
	}
	resp, err := t.base.RoundTrip(withToken(req, token))
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !rejectsToken(resp.Header) {
		return resp, err
	}
	t.source.main.drop(token, true)
	return t.again(req, resp, token)
}

var errPlainHTTP = errors.New("token: Transport: a token is not sent by plain http: use https")

// again repeats a rejected request with another token. If there is none, or the body cannot be read
// again, it returns the rejection.
func (t *bearer) again(req *http.Request, resp *http.Response, rejected Token) (*http.Response, error) {
	if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		return resp, nil
	}
	token, err := t.source.Token(req.Context())
	if err != nil || token.Value.Equal(rejected.Value) {
		return resp, nil //nolint:nilerr // the response of the resource server says more than this error
	}
	second := withToken(req, token)
	if req.GetBody != nil {
		if second.Body, err = req.GetBody(); err != nil {
			return resp, nil //nolint:nilerr // as above
		}
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxResponse) // so that the connection can be reused
	_ = resp.Body.Close()
	return t.base.RoundTrip(second)
}

func withToken(req *http.Request, token Token) *http.Request {
	clone := req.Clone(req.Context())
	if clone.Header == nil {
		clone.Header = http.Header{}
	}
	clone.Header["Authorization"] = []string{"Bearer " + token.Value.Reveal()}
	return clone
}

// refuse closes the body, as a RoundTripper must.
func refuse(req *http.Request, err error) error {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return err
}
