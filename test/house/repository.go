package house

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

const modulePath = "github.com/stytchkit/m2m"

// Package is what go list says of a package of the repository.
type Package struct {
	ImportPath, Name, Dir                    string
	GoFiles, IgnoredGoFiles                  []string
	TestGoFiles, XTestGoFiles                []string
	Imports, TestImports, XTestImports, Deps []string
	Standard, DepOnly                        bool
	Module                                   *struct{ Path, Dir string }

	all map[string]*Package // of its module and all dependencies, by path
}

// root is the folder of the repository.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".golangci.yml")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("house: the working directory is outside of the repository")
		}
	}
}

// modules are the folders with a go.mod, by their path from the root. Those that need a newer Go
// than this one are left out: go list refuses them.
func modules(root string) (dirs []string, err error) {
	dirs, _, err = allModules(root)
	return dirs, err
}

func allModules(root string) (dirs, leftOut []string, err error) {
	files, err := tracked(root, "*go.mod")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range files {
		if filepath.Base(name) != "go.mod" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name)) //nolint:gosec // a file that git lists
		if err != nil {
			return nil, nil, err
		}
		needs := goLine.FindSubmatch(text)
		if needs != nil && version.Compare("go"+string(needs[1]), runtime.Version()) > 0 {
			leftOut = append(leftOut, filepath.Dir(name))
			continue
		}
		dirs = append(dirs, filepath.Dir(name))
	}
	return dirs, leftOut, nil
}

var goLine = regexp.MustCompile(`(?m)^go (\S+)$`)

// tracked are the files that git knows, and those that it would take, by their path from the root.
func tracked(root string, patterns ...string) ([]string, error) {
	out, err := run(root, "git", append([]string{"ls-files", "--cached", "--others", "--exclude-standard", "--"}, patterns...)...)
	if err != nil {
		return nil, err
	}
	var files []string
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSuffix(name, "\n")
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// list are the packages of a module.
func list(module string) ([]*Package, error) {
	const fields = "ImportPath,Name,Dir,GoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports,Deps,Standard,DepOnly,Module"
	out, err := run(module, "go", "list", "-deps", "-json="+fields, "./...")
	if err != nil {
		return nil, err
	}
	var own []*Package
	all := map[string]*Package{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(Package)
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("house: reading what go list says: %w", err)
		}
		all[p.ImportPath], p.all = p, all
		if !p.DepOnly {
			own = append(own, p)
		}
	}
	return own, nil
}

func run(dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(context.Background(), name, args...) //nolint:gosec // the go command and git, with arguments from here
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("house: %s %s: %w: %s", name, args[0], err, stderr.Bytes())
	}
	return out, nil
}

// path is the import path inside the repository.
func (p *Package) path() string { return strings.TrimPrefix(p.ImportPath, modulePath+"/") }

// thirdParty are the modules of others that a user of the package gets with it, over all of its
// dependencies.
func (p *Package) thirdParty() []string {
	modules := []string{}
	for _, path := range p.Deps {
		dep := p.all[path]
		if dep != nil && dep.Module != nil && !ours(dep.Module.Path) && !slices.Contains(modules, dep.Module.Path) {
			modules = append(modules, dep.Module.Path)
		}
	}
	slices.Sort(modules)
	return modules
}

func ours(path string) bool { return path == modulePath || strings.HasPrefix(path, modulePath+"/") }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
