package proxy

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/project"
)

const nothingForwarded = " Nothing was forwarded."

// admission decides who may use a listener.
type admission struct {
	anyHost bool     // a certificate shows the caller that it reached the host it meant
	hosts   []string // names other than those of the loopback interface
}

// check returns the problem of a request that no route may get.
func (a admission) check(r *http.Request) *problem {
	switch {
	case r.Method == http.MethodConnect || r.Method == http.MethodTrace: // TRACE would return our token
		p := newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "CONNECT and TRACE are not forwarded: "+
			"send requests to this proxy as to the API itself."+nothingForwarded)
		p.allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
		return p
	case !a.host(r.Host):
		return newProblem(http.StatusMisdirectedRequest, "host_refused", "The Host header must be the loopback address "+
			"or a name that the proxy was given: address it as localhost, or add the name."+nothingForwarded)
	case crossOrigin(r):
		return newProblem(http.StatusForbidden, "cross_origin", "Requests of web pages from other origins are refused, "+
			"because they would use the token of this proxy: call it from a service."+nothingForwarded)
	}
	return nil
}

// host accepts the names by which callers know the proxy. Any other one may belong to a web page
// whose name was made to resolve to this machine.
func (a admission) host(host string) bool {
	if a.anyHost {
		return true
	}
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	return project.IsLoopback(name) || slices.ContainsFunc(a.hosts, func(own string) bool { return strings.EqualFold(own, name) })
}

// crossOrigin reports whether a browser sent the request for a page that is not of this address.
// Other programs send neither header, or an Origin that is this address.
func crossOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return true
	}
	for _, text := range r.Header["Origin"] {
		origin, err := url.Parse(text)
		if err != nil || !strings.EqualFold(origin.Host, r.Host) {
			return true
		}
	}
	return false
}
