package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// APIChanges compares the exported API of each published module with that of the last version, by
// apidiff, and returns a text about all of them.
func APIChanges(ctx context.Context, root, tool string) (string, error) {
	repository := program{dir: root}
	tags, err := versions(ctx, repository)
	if err != nil {
		return "", err
	}
	last := ""
	if len(tags) > 0 {
		last = tags[len(tags)-1]
	}
	return apiChanges(ctx, repository, last, tool)
}

func apiChanges(ctx context.Context, repository program, last, tool string) (text string, err error) {
	if last == "" {
		return "This is the first release: no version is there to compare with.\n", nil
	}
	home, err := os.MkdirTemp("", "release-api-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(home) }()
	old, err := clonePublished(ctx, repository, last, home)
	if err != nil {
		return "", err
	}
	modules, err := modulesOf(ctx, repository)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	fmt.Fprintf(&all, "Changes of the exported API since %s.\n", last)
	for _, m := range modules {
		if !m.isPublished() {
			continue
		}
		changes, err := m.changes(ctx, repository, old, tool)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&all, "\n%s\n\n%s\n", m.Path, changes)
	}
	return all.String(), nil
}

// clonePublished clones the repository at a version, and returns the clone with the environment in
// which its modules find one another as published.
func clonePublished(ctx context.Context, repository program, version, home string) (program, error) {
	clone, proxy := program{dir: filepath.Join(home, "clone")}, filepath.Join(home, "proxy")
	if _, err := repository.run(ctx, "git", "clone", "--quiet", "--no-checkout", repository.dir, clone.dir); err != nil {
		return program{}, err
	}
	if _, err := clone.run(ctx, "git", "checkout", "--quiet", "--detach", "refs/tags/"+version); err != nil {
		return program{}, err
	}
	modules, err := modulesOf(ctx, clone)
	if err != nil {
		return program{}, err
	}
	for _, m := range modules {
		if !m.isPublished() {
			continue
		}
		if _, err := publish(ctx, clone, m, "HEAD", version, proxy); err != nil {
			return program{}, err
		}
	}
	user, err := goUser(ctx, home, proxy)
	return program{clone.dir, user.env}, err
}

// changes compares a module with its former self.
func (m Module) changes(ctx context.Context, repository, old program, tool string) (string, error) {
	packages, err := repository.in(m.Dir).lines(ctx, "go", "list", "-f", `{{if ne .Name "main"}}{{.ImportPath}}{{end}}`, "./...")
	if err != nil {
		return "", err
	}
	importable := 0
	for _, path := range packages {
		if !strings.Contains(path+"/", "/internal/") {
			importable++
		}
	}
	if importable == 0 {
		return "It has no packages to import.", nil
	}
	if _, err := os.Stat(filepath.Join(old.dir, m.Dir, "go.mod")); err != nil {
		return "It is new.", nil //nolint:nilerr // the version has no such module
	}
	file := filepath.Join(filepath.Dir(old.dir), "api")
	if _, err := old.in(m.Dir).run(ctx, tool, "-m", "-w", file, m.Path); err != nil {
		return "", err
	}
	changes, err := repository.in(m.Dir).run(ctx, tool, "-m", file, m.Path)
	if changes == "" {
		changes = "None."
	}
	return changes, err
}
