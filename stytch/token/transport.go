package token

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/stytchkit/m2m/internal/project"
)

// Transport returns a RoundTripper that adds the source's token to requests for the given hosts,
// and passes all others to base unchanged, so that neither a redirect nor a wrong address reveals
// the token. A host is a name or an address as it appears in a URL, with a port unless that is the
// scheme's default: "api.example.com", "localhost:8080", "[::1]:8080". A request that has an
// Authorization header keeps it, however its name is spelled. A nil base is
// [http.DefaultTransport]. Responses refer to the caller's request, which has no token.
//
// The token is sent by https only, and by plain http to loopback addresses; other requests to the
// hosts fail. If the resource server responds with 401 and the error invalid_token, that token is
// dropped, and the request is sent once more with another one if its body can be read again
// (GetBody). A server that keeps rejecting tokens gets new ones more and more slowly, down to one
// in 10 minutes.
//
// Bad hosts make every request fail with [ErrInvalidArgument].
func (s *Source) Transport(base http.RoundTripper, hosts ...string) http.RoundTripper {
	t := &bearer{source: s, hosts: map[origin]bool{}, err: s.check()}
	switch {
	case base == nil:
		t.base = func(req *http.Request) (*http.Response, error) { return http.DefaultTransport.RoundTrip(req) }
	case isNil(base):
		t.err = invalid("Transport", "base must not be a nil pointer")
	default:
		t.base = base.RoundTrip
	}
	if len(hosts) == 0 {
		t.err = invalid("Transport", "hosts must not be empty")
	}
	for _, host := range hosts {
		u, ok := parseHost(host)
		if !ok {
			t.err = invalid("Transport", "host must be a name, an address, or an IPv6 address in brackets, with or without a port, and nothing else")
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
	base   func(*http.Request) (*http.Response, error) // a function for the same reason as in endpoint
	hosts  map[origin]bool
	err    error // of its arguments
}

// parseHost reads a host as it appears in a URL. It refuses what no request could ever match.
func parseHost(host string) (*url.URL, bool) {
	u, err := url.Parse("//" + host)
	if err != nil || u.Host != host || u.Hostname() == "" || strings.Contains(host, "*") {
		return nil, false
	}
	_, err = netip.ParseAddr(u.Hostname())
	if strings.HasPrefix(host, "[") != strings.Contains(u.Hostname(), ":") || strings.HasPrefix(host, "[") && err != nil {
		return nil, false
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return u, u.Port() == "" || err == nil && port > 0 && strconv.FormatUint(port, 10) == u.Port()
}

// origin is a scheme, a host and a port.
type origin struct{ scheme, host, port string }

func originOf(u *url.URL) origin {
	o := origin{u.Scheme, strings.ToLower(u.Hostname()), u.Port()}
	if strings.Contains(o.host, ":") {
		if address, err := netip.ParseAddr(o.host); err == nil { // which can be spelled in many ways
			o.host = address.String()
		}
	}
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
	if hasAuthorization(req.Header) || !t.hosts[originOf(req.URL)] {
		return t.base(req)
	}
	if req.URL.Scheme == "http" && !project.IsLoopback(req.URL.Hostname()) {
		return nil, refuse(req, errPlainHTTP)
	}
	token, err := t.source.Token(req.Context())
	if err != nil {
		return nil, refuse(req, err)
	}
	resp, err := t.send(withToken(req, token), req)
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
	return t.send(second, req)
}

// send sends a request on behalf of the caller's. The response refers to that one, as it would
// without this RoundTripper, so that printing it does not print the token.
func (t *bearer) send(withToken, caller *http.Request) (*http.Response, error) {
	resp, err := t.base(withToken)
	if resp != nil {
		resp.Request = caller
	} else if err == nil {
		err = fmt.Errorf("token: Transport: %w", errNoResponse)
	}
	return resp, err
}

// hasAuthorization finds the header in any spelling: a program may set it without http.Header.Set.
func hasAuthorization(h http.Header) bool {
	for name := range h {
		if strings.EqualFold(name, "Authorization") {
			return true
		}
	}
	return false
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
