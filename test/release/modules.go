package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

const (
	path    = "github.com/stytchkit/m2m"
	command = path + "/cmd/stytchctl"
)

// A Module is one of this repository.
type Module struct {
	Path, Dir string   // the folder, from the root of the repository
	requires  []string // others of this repository
}

// isPublished is false for the modules of tests, benchmarks and examples.
func (m Module) isPublished() bool {
	return m.Dir == "." || strings.HasPrefix(m.Dir, "contrib/") || strings.HasPrefix(m.Dir, "cmd/")
}

// modulesOf returns the modules of a repository, each after those that it requires.
func modulesOf(ctx context.Context, repository program) ([]Module, error) {
	files, err := repository.lines(ctx, "git", "ls-files", "go.mod", "*/go.mod")
	if err != nil {
		return nil, err
	}
	var modules []Module
	for _, name := range files {
		file, err := parse(filepath.Join(repository.dir, name))
		if err != nil {
			return nil, err
		}
		m := Module{Path: file.Module.Mod.Path, Dir: filepath.ToSlash(filepath.Dir(name))}
		for _, required := range file.Require {
			if ours(required.Mod.Path) {
				m.requires = append(m.requires, required.Mod.Path)
			}
		}
		modules = append(modules, m)
	}
	return sorted(modules)
}

func sorted(modules []Module) (in []Module, err error) {
	known := func(path string) bool {
		return slices.ContainsFunc(in, func(m Module) bool { return m.Path == path })
	}
	for len(in) < len(modules) {
		before := len(in)
		for _, m := range modules {
			if !known(m.Path) && !slices.ContainsFunc(m.requires, func(path string) bool { return !known(path) }) {
				in = append(in, m)
			}
		}
		if len(in) == before {
			return nil, errors.New("release: modules: some require one another in a cycle, or one that is not in the repository: see their go.mod")
		}
	}
	return in, nil
}

// rewrite gives a go.mod the form of a release: it requires the modules of this repository by their
// version, and if it is published it does not replace them with folders.
func (m Module) rewrite(root, version string) error {
	name := filepath.Join(root, m.Dir, "go.mod")
	file, err := parse(name)
	if err != nil {
		return err
	}
	for _, replaced := range slices.Clone(file.Replace) {
		if !m.isPublished() {
			break
		}
		if !ours(replaced.Old.Path) || !modfile.IsDirectoryPath(replaced.New.Path) {
			return fmt.Errorf("release: %s/go.mod: it replaces %s, which its users do not: remove the line", m.Dir, replaced.Old.Path)
		}
		if err := file.DropReplace(replaced.Old.Path, replaced.Old.Version); err != nil {
			return err
		}
	}
	for _, path := range m.requires {
		if err := file.AddRequire(path, version); err != nil {
			return err
		}
	}
	file.Cleanup()
	form, err := file.Format()
	if err != nil {
		return err
	}
	return write(name, string(form))
}

func parse(name string) (*modfile.File, error) {
	data, err := os.ReadFile(name) //nolint:gosec // a file of the repository
	if err != nil {
		return nil, err
	}
	return modfile.Parse(name, data, nil)
}

func ours(module string) bool { return module == path || strings.HasPrefix(module, path+"/") }

// versionFile has the version that the SDK puts into the User-Agent header.
const versionFile = "internal/project/version.go"

var versionLine = regexp.MustCompile(`(?m)^const Version = ".*"$`)

func rewriteVersion(root, version string) error {
	name := filepath.Join(root, versionFile)
	data, err := os.ReadFile(name) //nolint:gosec // a file of the repository
	if err != nil {
		return err
	}
	if n := len(versionLine.FindAll(data, -1)); n != 1 {
		return fmt.Errorf("release: %s: %d lines are of the form const Version = \"...\", want one", versionFile, n)
	}
	return write(name, string(versionLine.ReplaceAll(data, []byte(`const Version = "`+strings.TrimPrefix(version, "v")+`"`))))
}

func write(name, text string) error {
	return os.WriteFile(name, []byte(text), 0o644) //nolint:gosec // public files
}
