package token

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/stytchkit/m2m/internal/baseurl"
)

// Transport returns a RoundTripper that adds the source's token to requests for the given hosts, and passes all others to base
// as they are, so that a redirect or a wrong address does not give the token away. A host is a name or address as it stands in
// a URL, with a port unless that is the scheme's usual one: "api.example.com", "localhost:8080". A request that has an
// Authorization header keeps it. base nil is [http.DefaultTransport].
//
// The token leaves by https only, and by plain http to loopback addresses; other requests to the hosts fail. If the resource
// server answers 401 with the error invalid_token, that token is dropped, and the request is sent once more with another
// one if its body can be read again (GetBody). A server that goes on refusing gets new tokens ever more slowly, up to one in
// 10 minutes.
func (s *Source) Transport(base http.RoundTripper, hosts ...string) http.RoundTripper {
	t := &bearer{source: s, base: base, hosts: map[target]bool{}}
	if base == nil {
		t.base = http.DefaultTransport
	}
	if len(hosts) == 0 {
		t.err = invalid("Transport", "no hosts are given")
	}
	for _, host := range hosts {
		u, err := url.Parse("//" + host)
		if err != nil || u.Host != host || u.Hostname() == "" || strings.Contains(host, "*") {
			t.err = invalid("Transport", "a host must be a name or address, with a port if need be, and nothing else")
			continue
		}
		for _, scheme := range []string{"http", "https"} {
			u.Scheme = scheme
			t.hosts[targetOf(u)] = true
		}
	}
	return t
}

// bearer is a RoundTripper that adds tokens.
type bearer struct {
	source *Source
	base   http.RoundTripper
	hosts  map[target]bool
	err    error // of its configuration
}

type target struct{ scheme, host, port string }

func targetOf(u *url.URL) target {
	t := target{u.Scheme, strings.ToLower(u.Hostname()), u.Port()}
	if t.port == "" {
		t.port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return t
}

// RoundTrip sends the request, with a token if it is for one of the hosts.
func (t *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.err != nil {
		return nil, giveUp(req, t.err)
	}
	if _, own := req.Header["Authorization"]; own || !t.hosts[targetOf(req.URL)] {
		return t.base.RoundTrip(req)
	}
	if req.URL.Scheme == "http" && !baseurl.IsLoopback(req.URL.Hostname()) {
		return nil, giveUp(req, errPlain)
	}
	token, err := t.source.Token(req.Context())
	if err != nil {
		return nil, giveUp(req, err)
	}
	resp, err := t.base.RoundTrip(withToken(req, token))
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !refusesToken(resp.Header) {
		return resp, err
	}
	t.source.main.drop(token, true)
	return t.again(req, resp, token)
}

var errPlain = errors.New("token: a token is not sent by plain http")

// again repeats a refused request with another token. If there is none, or the body is gone, the refusal stands.
func (t *bearer) again(req *http.Request, resp *http.Response, refused Token) (*http.Response, error) {
	if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		return resp, nil
	}
	token, err := t.source.Token(req.Context())
	if err != nil || token.Value.Equal(refused.Value) {
		return resp, nil //nolint:nilerr // the caller asked for the resource; its answer says more than ours
	}
	second := withToken(req, token)
	if req.GetBody != nil {
		if second.Body, err = req.GetBody(); err != nil {
			return resp, nil //nolint:nilerr // see above
		}
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // so that the connection can be used again
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

// giveUp closes the body, as a RoundTripper must.
func giveUp(req *http.Request, err error) error {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return err
}
