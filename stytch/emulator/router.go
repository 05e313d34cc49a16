package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A router replaces http.ServeMux under the generated server. ServeMux redirects an unclean path
// and reports an unknown one in plain text; Stytch responds to both with route_not_found.
type router struct {
	routes   []route
	noMatch  http.HandlerFunc
	noMethod func(w http.ResponseWriter, r *http.Request, allowed []string)
}

type route struct {
	method   string
	segments []string // "{name}" for a parameter
	literals int
	handle   http.HandlerFunc
}

// HandleFunc accepts patterns of the form "GET /v1/things/{thing_id}".
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
		r = r.WithContext(r.Context()) // a copy: the caller's request gets no path values
		candidate.bind(r, path)
		candidate.handle(w, r)
		return
	}
	if len(allowed) == 0 {
		rt.noMatch(w, r)
		return
	}
	slices.Sort(allowed)
	rt.noMethod(w, r, slices.Compact(allowed))
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
