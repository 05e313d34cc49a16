package proxy

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/project"
)

// route is a [Route] in use.
type route struct {
	prefix   string   // without a slash at its end, so "" for all
	upstream *url.URL // without a slash at the end of its path
	proxy    *httputil.ReverseProxy
	counts   *routeCounts
	close    func() // the connections that no request uses
}

// label names the route in logs and metrics.
func (rt *route) label() string {
	if rt == nil {
		return "none"
	}
	return rt.prefix + "/"
}

// newRoutes reads the routes of a config, the longest prefix first.
func newRoutes(configured []Route) ([]*route, error) {
	if len(configured) == 0 {
		return nil, refuse("Routes", "there must be at least one: name an upstream")
	}
	var routes []*route
	for _, r := range configured {
		if err := checkPrefix(r.Prefix); err != nil {
			return nil, err
		}
		prefix := strings.TrimSuffix(r.Prefix, "/")
		if slices.ContainsFunc(routes, func(other *route) bool { return other.prefix == prefix }) {
			return nil, refuse("Routes", "the prefix %q is there twice", r.Prefix)
		}
		upstream, err := project.ParseBaseURL(r.Upstream)
		if err != nil {
			return nil, refuse("Routes", "the upstream of %q: %v", r.Prefix, err)
		}
		routes = append(routes, &route{prefix: prefix, upstream: upstream})
	}
	slices.SortFunc(routes, func(a, b *route) int { return len(b.prefix) - len(a.prefix) })
	return routes, nil
}

// checkPrefix accepts only what every server reads in the same way: a prefix decides which host
// gets a request.
func checkPrefix(prefix string) error {
	if !strings.HasPrefix(prefix, "/") {
		return refuse("Routes", "the prefix %q must begin with a slash", prefix)
	}
	for _, c := range prefix {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/", c) {
			return refuse("Routes", "the prefix %q must have letters, digits, hyphens, dots, underscores, tildes and slashes only", prefix)
		}
	}
	for segment := range strings.SplitSeq(strings.Trim(prefix, "/"), "/") {
		if prefix != "/" && (segment == "" || isDots(segment)) || strings.HasSuffix(prefix, "//") {
			return refuse("Routes", "the prefix %q must not have empty segments, . or ..", prefix)
		}
	}
	return nil
}

func isDots(segment string) bool { return segment == "." || segment == ".." }

// leavesRoute reports whether a server that resolves dot segments could read the path as one
// outside of its route. It looks at the decoded path, because servers decode first, and at segments
// without their parameters, because servlet containers take ;x from a segment before they resolve.
func leavesRoute(u *url.URL) bool {
	if !strings.Contains(u.Path, ".") {
		return false
	}
	return slices.ContainsFunc(strings.FieldsFunc(u.Path, func(c rune) bool { return c == '/' || c == '\\' }), func(segment string) bool {
		name, _, _ := strings.Cut(segment, ";")
		return isDots(name)
	})
}

// match returns the route of a path in the escaped form in which it was sent.
func match(routes []*route, escaped string) *route {
	for _, rt := range routes {
		rest, ok := strings.CutPrefix(escaped, rt.prefix)
		if ok && (rest == "" || rest[0] == '/') {
			return rt
		}
	}
	return nil
}

// target is where a request is sent: the upstream with what follows the prefix, and the query as
// the caller wrote it.
func (rt *route) target(in *url.URL) *url.URL {
	rest := in.EscapedPath()[len(rt.prefix):]
	u := *rt.upstream
	escaped := u.EscapedPath() + rest
	if escaped == "" {
		escaped = "/"
	}
	u.Path, u.RawPath = escaped, ""
	if path, err := url.PathUnescape(escaped); err == nil { // EscapedPath returns nothing else
		u.Path, u.RawPath = path, escaped
	}
	u.RawQuery, u.ForceQuery = in.RawQuery, in.ForceQuery
	return &u
}

// rewrite makes the request to the upstream of the caller's. The token is added later, for the host
// of the route alone.
func (rt *route) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL = rt.target(r.In.URL)
	r.Out.Host = "" // that of the URL
	dropFields(r.Out.Header)
	r.SetXForwarded()
}

// dropFields removes the fields of a header or trailer that end here.
func dropFields(h http.Header) {
	for name := range h {
		if notForwarded(name) {
			delete(h, name)
		}
	}
}

// notForwarded names the headers of callers that end here: the upstream must get our credentials
// only, and believe no one but us about where a request came from. CGI and what follows it take a
// low line for a hyphen.
func notForwarded(name string) bool {
	switch canonical := http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-")); canonical {
	case "Authorization", "Proxy-Authorization", "Forwarded", "X-Real-Ip":
		return true
	default:
		return strings.HasPrefix(canonical, "X-Forwarded-")
	}
}
