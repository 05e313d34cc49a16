package emulator

import (
	"net/http"
	"net/url"
	"strings"
)

// Costs of the differences between a path and a route.
const (
	missingParameter = 2
	missingLiteral   = 4
	surplusSlash     = 1
	otherMethod      = 4
	farRoute         = 8  // at which a route is no longer worth mentioning
	maxSegments      = 16 // of a path that is compared
	maxSegment       = 64 // bytes
)

// nearest is the reason for a request that no route serves.
func (rt *router) nearest(r *http.Request) string {
	path := r.URL.EscapedPath()
	reason := "no route " + shortened(r.Method, 16) + " " + shortened(path, 200)
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(segments) > maxSegments {
		return reason
	}
	for i, segment := range segments {
		if plain, err := url.PathUnescape(segment); err == nil {
			segments[i] = plain
		}
	}
	best, found := farRoute, ""
	for _, candidate := range rt.routes {
		cost := distance(segments, candidate.segments[1:], segmentCost)
		if candidate.method != r.Method {
			cost += otherMethod
		}
		if cost < best {
			best, found = cost, candidate.method+" "+strings.Join(candidate.segments, "/")
		}
	}
	if found == "" {
		return reason + ": GET /openapi.yaml lists all of them"
	}
	return reason + ": did you mean " + found + "?"
}

// wrongMethod is the reason for a known path with a method that it does not have.
func wrongMethod(r *http.Request, allowed []string) string {
	return "no route " + shortened(r.Method, 16) + " " + shortened(r.URL.EscapedPath(), 200) + ": the path takes " + strings.Join(allowed, ", ")
}

// segmentCost returns what it costs to turn a segment of a path into that of a route. An empty
// segment stands for a missing one.
func segmentCost(segment, wanted string) int {
	switch {
	case segment == "" && wanted == "":
		return surplusSlash
	case wanted == "", segment == "" && !parameter(wanted):
		return missingLiteral
	case segment == "":
		return missingParameter
	case parameter(wanted):
		return 0
	case len(segment) > maxSegment:
		return farRoute
	}
	return distance(strings.Split(strings.ToLower(segment), ""), strings.Split(wanted, ""), letterCost)
}

func letterCost(a, b string) int {
	if a == b {
		return 0
	}
	return 1
}

// distance is the edit distance of two sequences. cost compares two elements, one of which may be
// empty.
func distance(a, b []string, cost func(a, b string) int) int {
	row := make([]int, len(b)+1)
	for j := range b {
		row[j+1] = row[j] + cost("", b[j])
	}
	for _, element := range a {
		diagonal := row[0]
		row[0] += cost(element, "")
		for j := range b {
			changed := min(diagonal+cost(element, b[j]), row[j+1]+cost(element, ""), row[j]+cost("", b[j]))
			diagonal, row[j+1] = row[j+1], changed
		}
	}
	return row[len(b)]
}

// shortened cuts a text that a client has chosen.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
