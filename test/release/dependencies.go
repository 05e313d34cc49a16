package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A Dependency is a module of others, and what it says about its use.
type Dependency struct {
	Path, Version string
	Shipped       bool     // users of a published module compile it; if not, only tests, tools and examples do
	Licenses      []string // SPDX identifiers
	texts         []string // of licenses, notices and patent grants
}

// licenseFiles state under which terms a module is used, noticeFiles what else must accompany it.
var (
	licenseFiles = regexp.MustCompile(`(?i)^(licen[sc]e|copying|unlicense)([.-].*)?$`)
	noticeFiles  = regexp.MustCompile(`(?i)^(notice|patents)([.-].*)?$`)
)

// Dependencies returns the modules of others that the packages of a repository compile on any of
// the platforms, and those that their tests compile on this one, with Go itself. A license that is
// missing, unknown or not allowed is an error, which names each.
func Dependencies(ctx context.Context, root string) ([]Dependency, error) {
	return dependenciesOf(ctx, program{root, []string{"GOWORK=off"}})
}

func dependenciesOf(ctx context.Context, repository program) ([]Dependency, error) {
	modules, err := modulesOf(ctx, repository)
	if err != nil {
		return nil, err
	}
	found := folders{}
	for _, m := range modules {
		if m.isPublished() {
			for _, platform := range Platforms {
				goos, goarch, _ := strings.Cut(platform, "/")
				if err := found.list(ctx, repository.in(m.Dir).with("GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0"), true); err != nil {
					return nil, err
				}
			}
		}
		if err := found.list(ctx, repository.in(m.Dir), false, "-test"); err != nil {
			return nil, err
		}
	}
	if err := found.addGo(ctx, repository); err != nil {
		return nil, err
	}
	var all []Dependency
	var problems []error
	for key, f := range found {
		d, err := read(key, f)
		all, problems = append(all, d), append(problems, err)
	}
	slices.SortFunc(all, func(a, b Dependency) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version))
	})
	slices.SortFunc(problems, func(a, b error) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return all, errors.Join(problems...)
}

// folders are those whose packages are compiled, by the module, "path version".
type folders map[string]*folder

type folder struct {
	root     string
	packages map[string]bool
	shipped  bool
}

func (f folders) list(ctx context.Context, module program, shipped bool, flags ...string) error {
	args := append([]string{"list", "-deps"}, flags...)
	lines, err := module.lines(ctx, "go", append(args, "-f", "{{$dir := .Dir}}{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}\t{{$dir}}{{end}}{{end}}", "./...")...)
	if err != nil {
		return err
	}
	for _, line := range lines {
		fields := strings.Split(line, "\t")
		if len(fields) != 4 || fields[2] == "" {
			return fmt.Errorf("release: go list: %q is not a package of a module: run go mod download", line)
		}
		if ours(fields[0]) {
			continue
		}
		f.add(fields[0]+" "+fields[1], fields[2], fields[3], shipped)
	}
	return nil
}

func (f folders) add(key, root, dir string, shipped bool) {
	if f[key] == nil {
		f[key] = &folder{root: root, packages: map[string]bool{}}
	}
	f[key].packages[dir] = true
	f[key].shipped = f[key].shipped || shipped
}

// addGo adds the standard library and the runtime, which are in every program.
func (f folders) addGo(ctx context.Context, repository program) error {
	lines, err := repository.lines(ctx, "go", "env", "GOROOT", "GOVERSION")
	if err != nil {
		return err
	}
	f.add("go "+strings.TrimPrefix(lines[1], "go"), lines[0], lines[0], true)
	return nil
}

// read finds the files of a module that say how it may be used: in its root, in the folders of the
// packages that are compiled, and in those between.
func read(key string, f *folder) (Dependency, error) {
	path, version, _ := strings.Cut(key, " ")
	d := Dependency{Path: path, Version: version, Shipped: f.shipped}
	dirs := map[string]bool{f.root: true}
	for dir := range f.packages {
		for ; dir != f.root && strings.HasPrefix(dir, f.root); dir = filepath.Dir(dir) {
			dirs[dir] = true
		}
	}
	var problems []error
	for dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return d, err
		}
		for _, entry := range entries {
			isLicense := licenseFiles.MatchString(entry.Name())
			if !entry.Type().IsRegular() || filepath.Ext(entry.Name()) == ".go" || !isLicense && !noticeFiles.MatchString(entry.Name()) {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, entry.Name())) //nolint:gosec // a file of a module
			if err != nil {
				return d, err
			}
			d.texts = append(d.texts, strings.TrimSpace(string(data)))
			if !isLicense {
				continue
			}
			found, err := identify(data, d.Shipped)
			if err != nil {
				problems = append(problems, fmt.Errorf("release: license: %s %s: %s: %w", path, version, entry.Name(), err))
			}
			d.Licenses = append(d.Licenses, found...)
		}
	}
	if len(d.Licenses) == 0 && len(problems) == 0 {
		problems = append(problems, fmt.Errorf("release: license: %s %s: it has no file with a license: use another module", path, version))
	}
	slices.Sort(d.Licenses)
	slices.Sort(d.texts)
	d.Licenses, d.texts = slices.Compact(d.Licenses), slices.Compact(d.texts)
	return d, errors.Join(problems...)
}
