package house

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
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

// check reads and type-checks a package.
func check(p *Package) (*source, error) {
	s := &source{Package: p, fset: token.NewFileSet(), files: map[string]*ast.File{}}
	var files []*ast.File
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(s.fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("house: %w", err)
		}
		s.files[name] = file
		files = append(files, file)
	}
	lookup := func(path string) (io.ReadCloser, error) { return os.Open(p.all[path].Export) }
	config := types.Config{Importer: importer.ForCompiler(s.fset, "gc", lookup)}
	s.info = &types.Info{
		Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	var err error
	if s.types, err = config.Check(p.ImportPath, s.fset, files, s.info); err != nil {
		return nil, fmt.Errorf("house: %w", err)
	}
	return s, nil
}

// fileOf is the name of the file that a position is in.
func (s *source) fileOf(pos token.Pos) string { return filepath.Base(s.fset.Position(pos).Filename) }
