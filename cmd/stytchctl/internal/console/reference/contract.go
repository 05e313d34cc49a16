package reference

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/stytchkit/m2m/api"
)

// A Contract is the whole document.
type Contract struct {
	Title, Version, Description string
	Groups                      []Group
	Errors                      []ErrorType
}

// A Group is the operations with one tag.
type Group struct {
	Name, Description string
	Operations        []Operation
}

// Anchor is the group's id on a page.
func (g Group) Anchor() string { return strings.ToLower(strings.ReplaceAll(g.Name, " ", "-")) }

// An ErrorType is an entry of the error catalog.
type ErrorType struct {
	Type, When  string
	Status      string
	OtherStatus string // of a response that is itself assumed; empty for most
	Certainty   Certainty
	Operations  []string // operationIds that list it
}

// Certainty says where a fact comes from.
type Certainty string

// The certainties. A fact without a mark in the contract is documented.
const (
	Documented Certainty = "documented"
	Observed   Certainty = "observed"
	Assumed    Certainty = "assumed"
)

// Load reads the embedded contract once. It takes a few milliseconds, so nothing does it at
// start-up.
var Load = sync.OnceValues(func() (*Contract, error) { return parse(api.OpenAPI) })

// methods in the order in which a path lists them.
var methods = []string{"get", "post", "put", "patch", "delete"}

func parse(source []byte) (*Contract, error) {
	var file yaml.Node
	if err := yaml.Unmarshal(source, &file); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	d := &document{root: node{&file}.document()}
	info := d.root.get("info")
	c := &Contract{Title: info.text("title"), Version: info.text("version"), Description: info.text("description")}
	for _, tag := range d.root.get("tags").items() {
		c.Groups = append(c.Groups, Group{Name: tag.text("name"), Description: tag.text("description")})
	}
	users := map[string][]string{}
	for path, item := range d.root.get("paths").entries() {
		for method, operation := range item.entries() {
			if !slices.Contains(methods, method) {
				continue
			}
			o := d.operation(strings.ToUpper(method), path, item, operation)
			at := slices.IndexFunc(c.Groups, func(g Group) bool { return g.Name == o.tag })
			if at < 0 {
				return nil, fmt.Errorf("read the contract: operation %s has the unknown tag %q", o.ID, o.tag)
			}
			c.Groups[at].Operations = append(c.Groups[at].Operations, o)
			for _, name := range o.ErrorTypes() {
				users[name] = append(users[name], o.ID)
			}
		}
	}
	for name, entry := range d.root.get("x-error-catalog").entries() {
		certainty := Documented
		if mark := entry.text("certainty"); mark != "" {
			certainty = Certainty(mark)
		}
		c.Errors = append(c.Errors, ErrorType{
			Type: name, When: entry.text("when"), Status: entry.text("status"), OtherStatus: entry.text("assumed-status"),
			Certainty: certainty, Operations: users[name],
		})
	}
	return c, d.err
}
