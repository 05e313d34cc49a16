package house

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// sources are all packages of the repository, type-checked.
func sources(t *testing.T) []*source {
	t.Helper()
	all, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var loaded = sync.OnceValues(func() (all []*source, err error) {
	root, err := root()
	if err != nil {
		return nil, err
	}
	dirs, err := modules(root)
	if err != nil {
		return nil, err
	}
	// The tools have dependencies of their own, in versions that the others need not work with.
	together := slices.DeleteFunc(slices.Clone(dirs), isTool)
	checked, err := load(root, together)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		of := checked
		if isTool(dir) {
			if of, err = load(root, []string{dir}); err != nil {
				return nil, err
			}
		}
		packages, err := list(filepath.Join(root, dir))
		if err != nil {
			return nil, err
		}
		for _, p := range packages {
			if len(p.GoFiles) == 0 {
				continue // tests only
			}
			s := of[p.ImportPath]
			if s == nil {
				return nil, fmt.Errorf("house: %s was not read", p.ImportPath)
			}
			s.Package = p
			all = append(all, s)
		}
	}
	return all, nil
})

func isTool(dir string) bool { return strings.HasPrefix(dir, "tools/") }
