package house

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/tools/go/packages"
)

// source is the files of a package that are neither tests nor left out on this system,
// type-checked.
type source struct {
	*Package
	fset  *token.FileSet
	files map[string]*ast.File // by name, without the folder
	types *types.Package
	info  *types.Info
}

// load reads and type-checks the packages of modules. What they share is read once, and nothing is
// compiled.
func load(root string, dirs []string) (map[string]*source, error) {
	folder, err := os.MkdirTemp("", "house")
	if err != nil {
		return nil, fmt.Errorf("house: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }() // it is temporary
	work, patterns := "go "+strings.TrimPrefix(runtime.Version(), "go")+"\n", []string{}
	for _, dir := range dirs {
		dir = filepath.Join(root, dir)
		work += "use " + dir + "\n"
		patterns = append(patterns, dir+"/...")
	}
	name := filepath.Join(folder, "go.work")
	if err := os.WriteFile(name, []byte(work), 0o600); err != nil {
		return nil, fmt.Errorf("house: %w", err)
	}
	all, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedModule |
			packages.NeedTypes | packages.NeedTypesInfo | packages.NeedTypesSizes | packages.NeedSyntax,
		Dir: filepath.Join(root, dirs[0]), Env: append(os.Environ(), "GOWORK="+name, "CGO_ENABLED=0"),
		ParseFile: func(fset *token.FileSet, name string, text []byte) (*ast.File, error) {
			mode := parser.AllErrors | parser.SkipObjectResolution
			if strings.HasPrefix(name, root) {
				mode |= parser.ParseComments
			}
			return parser.ParseFile(fset, name, text, mode)
		},
	}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("house: %w", err)
	}
	found := map[string]*source{}
	for _, p := range all {
		for _, broken := range p.Errors {
			err = errors.Join(err, broken)
		}
		s := &source{fset: p.Fset, files: map[string]*ast.File{}, types: p.Types, info: p.TypesInfo}
		for _, file := range p.Syntax {
			s.files[s.fileOf(file.FileStart)] = file
		}
		found[p.PkgPath] = s
	}
	if err != nil {
		return nil, fmt.Errorf("house: %w", err)
	}
	return found, nil
}

// fileOf is the name of the file that a position is in.
func (s *source) fileOf(pos token.Pos) string { return filepath.Base(s.fset.Position(pos).Filename) }
