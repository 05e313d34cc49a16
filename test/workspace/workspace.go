// Package workspace reads and type-checks several modules of the repository at once.
package workspace

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Load reads the packages of the modules in these folders, which are absolute, from source: what
// they share is read once, and nothing is compiled. environment is added to that of the process. A
// package with an error is an error.
func Load(root string, dirs []string, tests bool, environment ...string) ([]*packages.Package, error) {
	folder, err := os.MkdirTemp("", "workspace")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }() // it is temporary
	work, patterns := "go "+strings.TrimPrefix(runtime.Version(), "go")+"\n", []string{}
	for _, dir := range dirs {
		work += "use " + dir + "\n"
		patterns = append(patterns, dir+"/...")
	}
	name := filepath.Join(folder, "go.work")
	if err := os.WriteFile(name, []byte(work), 0o600); err != nil {
		return nil, err
	}
	all, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedModule |
			packages.NeedTypes | packages.NeedTypesInfo | packages.NeedTypesSizes | packages.NeedSyntax,
		Dir: dirs[0], Tests: tests, ParseFile: parse(root),
		Env: append(append(os.Environ(), "GOWORK="+name, "CGO_ENABLED=0"), environment...),
	}, patterns...)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		for _, broken := range p.Errors {
			err = errors.Join(err, broken)
		}
	}
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("no packages in %v", dirs)
	}
	return all, err
}

// parse reads a file. Only those of the repository are read with their comments.
func parse(root string) func(*token.FileSet, string, []byte) (*ast.File, error) {
	own := root + string(filepath.Separator)
	return func(fset *token.FileSet, name string, text []byte) (*ast.File, error) {
		mode := parser.AllErrors | parser.SkipObjectResolution
		if strings.HasPrefix(name, own) {
			mode |= parser.ParseComments
		}
		return parser.ParseFile(fset, name, text, mode)
	}
}
