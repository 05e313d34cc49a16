// Command newoperation begins an operation: it writes its place in the contract, in the emulator,
// in the client and in the tests that must call it. What it cannot know says TODO or fails until it
// is filled. `make new-operation` runs it and generates the code.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// An operation is what the templates are filled with.
type operation struct {
	Name, Method, Path string
	Safety             string
	Param              string // of the path; "" if there is none
	ParamRef           string // its component
	Tag                string
	Errors             []string // lines of the contract
	Service            string   // M2M or ConnectedApps; "" if the wrapper has no method
	Verb               string   // the method of the wrapper
	Body               bool
	File               string // name of the new files, without .go
}

var (
	namePattern = regexp.MustCompile(`^([A-Z][a-z]+)[A-Z][A-Za-z0-9]*$`)
	pathPattern = regexp.MustCompile(`^(/[a-z0-9_.-]+|/\{[a-z_]+\})+$`)
)

func main() {
	log.SetFlags(0)
	root := flag.String("root", ".", "folder of the repository")
	name := flag.String("name", "", "operationId, such as AuditM2MClient")
	method := flag.String("method", "", "get, post, put, patch or delete")
	path := flag.String("path", "", "path, such as /v1/m2m/clients/{client_id}/audit")
	flag.Parse()
	if err := run(*root, *name, strings.ToLower(*method), *path); err != nil {
		log.Fatal("newoperation: ", err)
	}
}

func run(root, name, method, path string) error {
	text, err := os.ReadFile(filepath.Join(root, "api", "openapi.yaml"))
	if err != nil {
		return err
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return err
	}
	op, err := begin(doc, name, method, path)
	if err != nil {
		return err
	}
	files, err := write(root, op)
	if err != nil {
		return err // nothing was written
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(root, path), files[path], 0o644); err != nil {
			return err
		}
		fmt.Println(path)
	}
	fmt.Println("Now replace each TODO in api/openapi.yaml, fill the emulator's and the suite's new file, and read docs/contract.md.")
	return nil
}

// begin derives an operation from its name, its route and the operation that is most like it.
func begin(doc *openapi3.T, name, method, path string) (*operation, error) {
	m := namePattern.FindStringSubmatch(name)
	safety := map[string]string{"get": "read", "put": "idempotent", "delete": "idempotent", "post": "shown-once", "patch": "idempotent"}[method]
	switch {
	case m == nil:
		return nil, fmt.Errorf("NAME %q must be a verb and a noun in UpperCamelCase, such as AuditM2MClient", name)
	case safety == "":
		return nil, fmt.Errorf("METHOD %q is none of get, post, put, patch, delete", method)
	case !pathPattern.MatchString(path) || strings.Count(path, "{") > 1:
		return nil, fmt.Errorf("PATH %q must be a path with at most one parameter, such as /v1/m2m/clients/{client_id}/audit", path)
	case doc.Components.Schemas[name+"Response"] != nil:
		return nil, fmt.Errorf("NAME %s: the contract has the schema %sResponse: choose another name", name, name)
	}
	if item := doc.Paths.Value(path); item != nil {
		return nil, fmt.Errorf("PATH %s is in the contract: add the method there by hand", path)
	}
	like, likePath := nearest(doc, path)
	if like == nil {
		return nil, errors.New("the contract has no operation to begin with")
	}
	op := &operation{Name: name, Method: method, Path: path, Safety: safety, Tag: like.Tags[0], Verb: m[1], Body: method == "post" || method == "put" || method == "patch", File: strings.ToLower(name)}
	if _, after, found := strings.Cut(path, "{"); found {
		op.Param, _, _ = strings.Cut(after, "}")
		for component, p := range doc.Components.Parameters {
			if p.Value.Name == op.Param {
				op.ParamRef = component
			}
		}
		if op.ParamRef == "" {
			return nil, fmt.Errorf("PATH %s: add the parameter %s to components/parameters first", path, op.Param)
		}
	}
	switch {
	case strings.HasPrefix(path, "/v1/m2m/"):
		op.Service = "M2M"
	case strings.HasPrefix(path, "/v1/connected_apps/"):
		op.Service = "ConnectedApps"
	default:
		return nil, fmt.Errorf("PATH %s: only operations below /v1/m2m and /v1/connected_apps begin alike: write the others by hand, see docs/contract.md", path)
	}
	for _, status := range slices.Sorted(maps.Keys(like.Responses.Map())) {
		if response := like.Responses.Value(status); status >= "400" && response.Ref != "" {
			op.Errors = append(op.Errors, fmt.Sprintf("%q: {$ref: %q}", status, response.Ref))
		}
	}
	if len(op.Errors) == 0 {
		return nil, fmt.Errorf("%s has no error responses to share", likePath)
	}
	return op, nil
}

// nearest is the read whose path has the most in common with a path: its errors are those of any
// request.
func nearest(doc *openapi3.T, path string) (like *openapi3.Operation, at string) {
	best := 0
	for _, other := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		item := doc.Paths.Value(other)
		common := 0
		for common < min(len(path), len(other)) && path[common] == other[common] {
			common++
		}
		if op := item.Get; op != nil && common > best {
			like, at, best = op, other, common
		}
	}
	return like, at
}
