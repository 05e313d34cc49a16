package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"

	"github.com/stytchkit/m2m/test/workspace"
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

// load reads and type-checks the packages of modules together.
func load(root string, dirs []string) (map[string]*source, error) {
	var folders []string
	for _, dir := range dirs {
		folders = append(folders, filepath.Join(root, dir))
	}
	all, err := workspace.Load(root, folders, false)
	if err != nil {
		return nil, fmt.Errorf("house: %w", err)
	}
	found := map[string]*source{}
	for _, p := range all {
		s := &source{fset: p.Fset, files: map[string]*ast.File{}, types: p.Types, info: p.TypesInfo}
		for _, file := range p.Syntax {
			s.files[s.fileOf(file.FileStart)] = file
		}
		found[p.PkgPath] = s
	}
	return found, nil
}

// fileOf is the name of the file that a position is in.
func (s *source) fileOf(pos token.Pos) string { return filepath.Base(s.fset.Position(pos).Filename) }
