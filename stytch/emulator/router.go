package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A router stands in for http.ServeMux under the generated server. ServeMux answers an unclean path with a redirect
// and an unknown one in plain text; Stytch answers both with route_not_found.
type router struct {
	routes      []route
	wrongMethod int
}

type route struct {
	method   string
	segments []string // "{name}" for a parameter
	literals int
	handle   http.HandlerFunc
}

func newRouter(wrongMethod int) *router { return &router{wrongMethod: wrongMethod} }

// HandleFunc takes a pattern as http.ServeMux does: "GET /v1/things/{thing_id}".
func (rt *router) HandleFunc(pattern string, handle func(http.ResponseWriter, *http.Request)) {
	method, path, _ := strings.Cut(pattern, " ")
	r := route{method: method, segments: strings.Split(path, "/"), handle: handle}
	for _, segment := range r.segments {
		if !parameter(segment) {
			r.literals++
		}
	}
	rt.routes = append(rt.routes, r)
	slices.SortStableFunc(rt.routes, func(a, b route) int { return b.literals - a.literals })
}

func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(r.URL.EscapedPath(), "/")
	for i, segment := range path {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			path = nil
			break
		}
		path[i] = plain
	}
	var allowed []string
	for i := range rt.routes {
		candidate := &rt.routes[i]
		if !candidate.matches(path) {
			continue
		}
		if candidate.method != r.Method {
			allowed = append(allowed, candidate.method)
			continue
		}
		candidate.bind(r, path)
		candidate.handle(w, r)
		return
	}
	c := callOf(r.Context())
	if len(allowed) > 0 && rt.wrongMethod == http.StatusMethodNotAllowed {
		slices.Sort(allowed)
		a := fail("method_not_allowed").answer(c.requestID)
		a.allow = strings.Join(slices.Compact(allowed), ", ")
		c.send(a)
		return
	}
	c.send(fail("route_not_found").answer(c.requestID))
}

func (rt *route) matches(path []string) bool {
	if len(path) != len(rt.segments) {
		return false
	}
	for i, segment := range rt.segments {
		if parameter(segment) {
			if path[i] == "" {
				return false
			}
		} else if path[i] != segment {
			return false
		}
	}
	return true
}

func (rt *route) bind(r *http.Request, path []string) {
	for i, segment := range rt.segments {
		if parameter(segment) {
			r.SetPathValue(strings.Trim(segment, "{}"), path[i])
		}
	}
}

func parameter(segment string) bool { return strings.HasPrefix(segment, "{") }
