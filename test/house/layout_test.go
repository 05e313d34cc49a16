package house

import (
	"go/ast"
	"go/types"
	"path"
	"slices"
	"strings"
	"testing"
)

// A package is called what its folder is called.
func TestPackageNames(t *testing.T) {
	for _, s := range sources(t) {
		if s.Name != "main" && s.Name != path.Base(s.ImportPath) {
			t.Errorf("%s: the package is called %s", s.path(), s.Name)
		}
		switch path.Base(s.ImportPath) {
		case "util", "utils", "common", "types", "helpers", "misc":
			t.Errorf("%s: call a package what it is about", s.path())
		}
	}
}

// testingPackages may be imported by tests alone, so they may import testing.
func isTestingPackage(name string) bool {
	return strings.HasSuffix(name, "test") || name == "internal/heavy" || name == "internal/vectors" || strings.HasPrefix(name, "test/")
}

// Package testing brings flags and more into a program that links it.
func TestNoTesting(t *testing.T) {
	for _, s := range sources(t) {
		if !isTestingPackage(s.path()) && !strings.Contains(s.path(), "/internal/try") && slices.Contains(s.Deps, "testing") {
			t.Errorf("%s links testing", s.path())
		}
	}
}

// Every function that makes an option begins with With. What an option is, its type shows: it is
// called Option.
func TestOptionNames(t *testing.T) {
	for _, s := range published(t) {
		for _, file := range s.files {
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok || f.Recv != nil || !f.Name.IsExported() {
					continue
				}
				results := s.info.Defs[f.Name].Type().(*types.Signature).Results()
				if results.Len() == 0 {
					continue
				}
				named, ok := types.Unalias(results.At(0).Type()).(*types.Named)
				if ok && strings.HasSuffix(named.Obj().Name(), "Option") && named.Obj().Pkg() == s.types && !strings.HasPrefix(f.Name.Name, "With") {
					t.Errorf("%s.%s makes an option: its name must begin with With", s.path(), f.Name.Name)
				}
			}
		}
	}
}

// What has a Close returns an error from it, like every io.Closer.
func TestClose(t *testing.T) {
	for _, s := range published(t) {
		for _, file := range s.files {
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok || f.Recv == nil || f.Name.Name != "Close" {
					continue
				}
				signature := s.info.Defs[f.Name].Type().(*types.Signature)
				if signature.Params().Len() == 0 && types.TypeString(signature.Results(), nil) == "(error)" {
					continue
				}
				t.Errorf("%s: %s is not Close() error", s.path(), s.fset.Position(f.Pos()))
			}
		}
	}
}

// published are the packages that others may import.
func published(t *testing.T) (all []*source) {
	t.Helper()
	for _, s := range sources(t) {
		if s.Name != "main" && (strings.HasPrefix(s.path(), "stytch") || strings.HasPrefix(s.path(), "contrib") || strings.HasPrefix(s.path(), "internal")) {
			all = append(all, s)
		}
	}
	return all
}
