package release

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

const path = "github.com/stytchkit/m2m"

// A Module is one that is published.
type Module struct {
	Path, Dir string
}

// Stage copies the files of a repository that git knows to a folder, and gives the modules there
// the form of a release: each requires the others by their version, and none is replaced. It
// returns the modules that are published: not those of tests, benchmarks and examples.
func Stage(repository, to, version string) ([]Module, error) {
	files, err := tracked(repository)
	if err != nil {
		return nil, err
	}
	var modules []Module
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(repository, name)) //nolint:gosec // a file of the repository
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not committed yet
		}
		if err != nil {
			return nil, err
		}
		if filepath.Base(name) == "go.mod" && published(name) {
			module, form, err := releaseForm(data, version)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			modules, data = append(modules, Module{module, filepath.Join(to, filepath.Dir(name))}), form
		}
		if err := os.MkdirAll(filepath.Join(to, filepath.Dir(name)), 0o755); err != nil { //nolint:gosec // public files
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o644); err != nil { //nolint:gosec // public files
			return nil, err
		}
	}
	return modules, nil
}

func published(file string) bool {
	return file == "go.mod" || strings.HasPrefix(file, "contrib/") || strings.HasPrefix(file, "cmd/")
}

// releaseForm requires a version of the modules of this repository instead of replacing them with
// folders.
func releaseForm(goMod []byte, version string) (module string, form []byte, err error) {
	file, err := modfile.Parse("go.mod", goMod, nil)
	if err != nil {
		return "", nil, err
	}
	for _, replaced := range slices.Clone(file.Replace) {
		if !ours(replaced.Old.Path) || !modfile.IsDirectoryPath(replaced.New.Path) {
			return "", nil, fmt.Errorf("it replaces %s, which its users do not", replaced.Old.Path)
		}
		if err := file.DropReplace(replaced.Old.Path, replaced.Old.Version); err != nil {
			return "", nil, err
		}
	}
	for _, required := range file.Require {
		if !ours(required.Mod.Path) {
			continue
		}
		if err := file.AddRequire(required.Mod.Path, version); err != nil {
			return "", nil, err
		}
	}
	file.Cleanup()
	form, err = file.Format()
	return file.Module.Mod.Path, form, err
}

func ours(module string) bool { return module == path || strings.HasPrefix(module, path+"/") }

func tracked(repository string) ([]string, error) {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard") //nolint:noctx // ends by itself
	cmd.Dir = repository
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 }), nil
}
