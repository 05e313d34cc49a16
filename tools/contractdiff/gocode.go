package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/contractdiff"
)

// surface is what Go callers see of the generated code: each exported name, as Type or Type.Member,
// and what is declared under it.
type surface map[string]string

func parseSurface(files ...[]byte) (surface, error) {
	s := surface{}
	for _, text := range files {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "", text, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("the generated code: %w", err)
		}
		show := func(node any) string {
			var b bytes.Buffer
			if err := format.Node(&b, fset, node); err != nil {
				return err.Error()
			}
			return oneLine(b.String())
		}
		for _, decl := range file.Decls {
			s.add(decl, show)
		}
	}
	return s, nil
}

func (s surface) add(decl ast.Decl, show func(node any) string) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		name := decl.Name.Name
		if decl.Recv != nil {
			name = strings.TrimPrefix(show(decl.Recv.List[0].Type), "*") + "." + name
		}
		s.set(name, show(decl.Type))
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				s.addType(spec, show)
			case *ast.ValueSpec:
				for i, name := range spec.Names {
					value := decl.Tok.String()
					if spec.Type != nil {
						value += " " + show(spec.Type)
					}
					if i < len(spec.Values) {
						value += " = " + show(spec.Values[i])
					}
					s.set(name.Name, value)
				}
			}
		}
	}
}

func (s surface) addType(spec *ast.TypeSpec, show func(node any) string) {
	name := spec.Name.Name
	switch t := spec.Type.(type) {
	case *ast.StructType:
		s.set(name, "struct")
		s.addFields(name, t.Fields, show)
	case *ast.InterfaceType:
		s.set(name, "interface")
		s.addFields(name, t.Methods, show)
	default:
		alias := ""
		if spec.Assign.IsValid() {
			alias = "= "
		}
		s.set(name, alias+show(spec.Type))
	}
}

func (s surface) addFields(name string, fields *ast.FieldList, show func(node any) string) {
	for _, field := range fields.List {
		value := show(field.Type)
		if field.Tag != nil {
			value += " " + field.Tag.Value
		}
		if len(field.Names) == 0 { // embedded
			s.set(name+"."+show(field.Type), value)
		}
		for _, member := range field.Names {
			s.set(name+"."+member.Name, value)
		}
	}
}

// set notes a name if callers see it.
func (s surface) set(name, value string) {
	for element := range strings.SplitSeq(name, ".") {
		if !ast.IsExported(element) {
			return
		}
	}
	s[name] = value
}

// goBreaks are the names that are gone or changed. What is added breaks no caller: the interface of
// the generated client grows with the contract.
func goBreaks(old, next surface) (all []finding) {
	for _, name := range slices.Sorted(maps.Keys(old)) {
		owner, _, isMember := strings.Cut(name, ".")
		was := old[name]
		is, there := next[name]
		switch {
		case is == was && there:
		case there:
			all = append(all, goFinding{name: name, old: was, next: is})
		case isMember && next[owner] == "": // its owner is gone, too
		default:
			all = append(all, goFinding{name: name, old: was})
		}
	}
	return all
}

// goFinding is one name that changed in Go.
type goFinding struct{ name, old, next string }

func (f goFinding) source() (judge, id string) { return "go", f.name }

func (f goFinding) change() contractdiff.Change {
	c := contractdiff.Change{Kind: contractdiff.Break, Rule: "go-type", Change: "changed", Path: "gen " + f.name, Old: f.old, New: f.next,
		Why: "callers in Go may not compile, or what they send changes"}
	if f.next == "" {
		c.Change, c.Rule, c.Why = "removed", "go-name", "callers in Go that use this name do not compile"
	}
	return c
}

// confirms reports whether a name is generated from the part that changed: from the operation, the
// component, the property, or a value of an enum.
func (f goFinding) confirms(c contractdiff.Change) bool {
	for _, id := range c.Operations {
		if strings.HasPrefix(c.Path, "paths ") && strings.Contains(f.name, id) {
			return true
		}
	}
	elements := strings.Split(c.Path, " ")
	if len(elements) < 3 || elements[0] != "components" {
		return false
	}
	owner, member, _ := strings.Cut(f.name, ".")
	component, last := fold(elements[2]), fold(elements[len(elements)-1])
	if member != "" && slices.ContainsFunc(elements[3:], func(element string) bool { return fold(element) == fold(member) }) {
		return true
	}
	name := fold(owner)
	return name == component || strings.HasPrefix(name, component) && len(elements) > 3 && strings.HasSuffix(name, last)
}

// fold is what a name of the contract and its name in Go have in common.
func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}
