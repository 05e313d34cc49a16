package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/flatten/allof"
	"github.com/oasdiff/oasdiff/load"

	"github.com/stytchkit/m2m/internal/contractdiff"
)

// wireFinding is what oasdiff calls a break, or a possible one.
type wireFinding struct {
	id, text, method, path, operation string
	args                              []string
}

// wireBreaks asks oasdiff.
func wireBreaks(before, after *load.SpecInfo) (all []finding, err error) {
	report, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), before, after)
	if err != nil {
		return nil, err
	}
	localize := checker.NewDefaultLocalizer()
	for _, c := range checker.CheckBackwardCompatibility(checker.NewConfig(checker.GetAllChecks()), report, sources) {
		f := wireFinding{id: c.GetId(), text: c.GetUncolorizedText(localize), method: strings.ToLower(c.GetOperation()), path: c.GetPath(), operation: c.GetOperationId()}
		for _, arg := range c.GetArgs() {
			f.args = append(f.args, fmt.Sprint(arg))
		}
		all = append(all, f)
	}
	return all, nil
}

// spec makes of a document what oasdiff reads. Its schemas have no allOf, so that moving a field
// between the parts of one is no change.
func spec(document any) (*load.SpecInfo, error) {
	text, err := json.Marshal(plainLists(document))
	doc := new(openapi3.T)
	if err == nil {
		err = doc.UnmarshalJSON(text)
	}
	if err == nil {
		err = openapi3.NewLoader().ResolveRefsIn(doc, nil)
	}
	if err == nil {
		doc, err = allof.MergeSpec(doc)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", openAPIFile, err)
	}
	return &load.SpecInfo{Url: openAPIFile, Spec: doc}, nil
}

// plainLists returns a document in which anyOf an enum and any string is what it means on the wire,
// any string. For oasdiff, it would be a value of any type. The other rules compare what is listed.
func plainLists(value any) any {
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = plainLists(item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, member := range v {
			out[key] = plainLists(member)
		}
		parts, _ := v["anyOf"].([]any)
		if len(parts) == 2 && reflect.DeepEqual(parts[1], map[string]any{"type": "string"}) {
			delete(out, "anyOf")
			out["type"] = "string"
		}
		return out
	}
	return value
}

func (f wireFinding) source() (judge, id string) { return "oasdiff", f.id }

func (f wireFinding) change() contractdiff.Change {
	path := strings.Join(slices.Concat([]string{"paths", f.path, f.method}, f.args), " ")
	return contractdiff.Change{Kind: contractdiff.Break, Rule: "oasdiff-" + f.id, Change: "changed", Path: path, Why: f.text, Operations: []string{f.operation}}
}

// confirms reports whether a finding is about the same operation and the same part as a change is.
// Findings name parts by arguments, such as m2m_client/status, and changes by their path.
func (f wireFinding) confirms(c contractdiff.Change) bool {
	if len(c.Operations) > 0 && f.operation != "" && !slices.Contains(c.Operations, f.operation) {
		return false
	}
	elements := strings.Split(c.Path, " ")
	switch {
	case c.Rule == "composition", c.Rule == "reference": // all that changes below is part of it
		return true
	case strings.HasPrefix(f.id, "api-"):
		return c.Rule == "operation" || c.Rule == "security"
	case len(f.args) == 0 && strings.HasPrefix(f.id, "request-body-"):
		return slices.Contains(elements, "requestBody") || slices.Contains(elements, "requestBodies")
	}
	names := append(slices.Clone(elements[max(0, len(elements)-3):]), c.Old, c.New)
	for _, arg := range f.args {
		if slices.Contains(names, arg) {
			return true
		}
		for piece := range strings.SplitSeq(arg, "/") {
			if slices.Contains(names, piece) {
				return true
			}
		}
	}
	return false
}
