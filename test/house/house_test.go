package house

import (
	"path/filepath"
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
	for _, dir := range dirs {
		packages, err := list(filepath.Join(root, dir), true)
		if err != nil {
			return nil, err
		}
		for _, p := range packages {
			if len(p.GoFiles) == 0 {
				continue // tests only
			}
			s, err := check(p)
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	return all, nil
})
