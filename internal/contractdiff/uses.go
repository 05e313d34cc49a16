package contractdiff

import (
	"maps"
	"slices"
	"strings"
)

// methods are the members of a path that are operations.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// use is how operations meet a component.
type use struct {
	request, response bool
	operations        map[string]bool
}

// uses are the uses of components, by their reference.
type uses map[string]*use

// collect adds the uses of a document.
func (u uses) collect(doc document) {
	paths, _ := member(doc.root, "paths").(map[string]any)
	for path, item := range paths {
		for _, method := range methods {
			op := member(item, method)
			if op == absent {
				continue
			}
			id := operationName(path, method, op)
			for _, part := range []any{member(item, "parameters"), member(op, "parameters"), member(op, "requestBody")} {
				u.follow(doc, part, id, true, map[string]bool{})
			}
			u.follow(doc, member(op, "responses"), id, false, map[string]bool{})
		}
	}
}

// operationName is the ID of an operation, or its method and path.
func operationName(path, method string, op any) string {
	if id := text(op, "operationId"); id != "" {
		return id
	}
	return strings.ToUpper(method) + " " + path
}

func (u uses) follow(doc document, value any, id string, request bool, seen map[string]bool) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			u.follow(doc, item, id, request, seen)
		}
	case map[string]any:
		if ref := text(v, "$ref"); ref != "" {
			if seen[ref] {
				return
			}
			seen[ref] = true
			if u[ref] == nil {
				u[ref] = &use{operations: map[string]bool{}}
			}
			u[ref].request, u[ref].response = u[ref].request || request, u[ref].response || !request
			u[ref].operations[id] = true
			u.follow(doc, doc.at(ref), id, request, seen)
			return
		}
		// Callers expect other values than the known ones: a new one is no break, as in a request.
		if _, open := doc.known(v); open {
			u.follow(doc, v["anyOf"], id, true, seen)
			return
		}
		for key, member := range v {
			if key != "example" && key != "examples" {
				u.follow(doc, member, id, request, seen)
			}
		}
	}
}

// component is the site of a component. One that no operation uses is judged as if callers both
// sent and got it.
func (u uses) component(kind, name string) site {
	at := site{path: []string{"components", kind, name}, request: true, response: true}
	if use := u["#/components/"+kind+"/"+name]; use != nil {
		at.request, at.response = use.request, use.response
		at.operations = slices.Sorted(maps.Keys(use.operations))
	}
	return at
}
