package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The files of a contract, from the root of the repository.
const (
	openAPIFile   = "api/openapi.yaml"
	overlayFile   = "api/go.overlay.yaml"
	acceptedFile  = "api/accepted-breaks.yaml"
	changelogFile = "api/CHANGELOG.md"
)

// codeFiles are generated from both. The server interface is not compared: it has a method for each
// operation, so that a new one cannot be forgotten.
var codeFiles = []string{"gen/models.gen.go", "gen/client.gen.go"}

// none is the revision of an empty contract.
const none = "none"

// errNothing means that there is no earlier version to compare with.
var errNothing = errors.New("there is no earlier version")

// tree is a repository with a working tree.
type tree struct{ root string }

func openTree(ctx context.Context, dir string) (tree, error) {
	root, err := tree{dir}.git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return tree{}, fmt.Errorf("this is no git repository: run it in a clone: %w", err)
	}
	return tree{strings.TrimSpace(string(root))}, nil
}

func (t tree) git(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = t.root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

// A version is a contract as its files say it.
type version struct {
	openAPI, overlay []byte
	code             [][]byte // of codeFiles
}

// read reads the files of a version.
func read(file func(name string) ([]byte, error)) (v version, err error) {
	if v.openAPI, err = file(openAPIFile); err != nil {
		return v, err
	}
	if v.overlay, err = file(overlayFile); err != nil {
		return v, err
	}
	for _, name := range codeFiles {
		text, err := file(name)
		if err != nil {
			return v, err
		}
		v.code = append(v.code, text)
	}
	return v, nil
}

func (t tree) working() (version, error) {
	return read(func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(t.root, name)) })
}

// at reads the contract of a revision.
func (t tree) at(ctx context.Context, revision string) (version, error) {
	if revision == none {
		return t.empty()
	}
	commit, err := t.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err != nil {
		return version{}, fmt.Errorf("%q is no revision of this clone: name a tag or a commit, or fetch it", revision)
	}
	return read(func(name string) ([]byte, error) {
		text, err := t.git(ctx, "show", strings.TrimSpace(string(commit))+":"+name)
		if err != nil {
			return nil, fmt.Errorf("%q has no %s: name a later revision: %w", revision, name, err)
		}
		return text, nil
	})
}

// empty is the working tree's contract without any operation or component.
func (t tree) empty() (v version, err error) {
	if v, err = t.working(); err != nil {
		return v, err
	}
	var document map[string]any
	if err := yaml.Unmarshal(v.openAPI, &document); err != nil {
		return v, fmt.Errorf("%s: %w", openAPIFile, err)
	}
	for _, key := range []string{"servers", "tags", "components", "x-error-catalog"} {
		delete(document, key)
	}
	document["paths"] = map[string]any{}
	v.openAPI, err = yaml.Marshal(document)
	v.code = nil
	return v, err
}

// defaultBase is what callers rely on: the last release, or else the given commit, or else the
// version before the last edit.
func (t tree) defaultBase(ctx context.Context, fallback string) (string, error) {
	// A release is a commit beside the branch, so its tag is no ancestor: the greatest version
	// counts.
	tags, err := t.git(ctx, "-c", "versionsort.suffix=-", "tag", "--list", "v[0-9]*.[0-9]*.[0-9]*", "--sort=-version:refname")
	if err != nil {
		return "", err
	}
	if last, _, _ := strings.Cut(string(tags), "\n"); last != "" {
		return last, nil
	}
	if fallback != "" {
		if _, err := t.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", fallback+"^{commit}"); err == nil {
			return fallback, nil
		}
		missing := fmt.Errorf("this clone does not have %s, the base of %s: fetch its history, or correct it", fallback, acceptedFile)
		if shallow, err := t.git(ctx, "rev-parse", "--is-shallow-repository"); err == nil && strings.TrimSpace(string(shallow)) == "true" {
			return "", fmt.Errorf("%w: %w", errNothing, missing)
		}
		return "", missing
	}
	working, err := t.working()
	if err != nil {
		return "", err
	}
	commits, err := t.git(ctx, "log", "--format=%H", "--", openAPIFile, overlayFile)
	if err != nil {
		return "", err
	}
	for commit := range strings.Lines(string(commits)) {
		commit = strings.TrimSpace(commit)
		if v, err := t.at(ctx, commit); err == nil && !v.equal(working) {
			return commit, nil
		}
	}
	return "", fmt.Errorf("%w in this clone: name one with -base", errNothing)
}

func (v version) equal(other version) bool {
	return bytes.Equal(v.openAPI, other.openAPI) && bytes.Equal(v.overlay, other.overlay)
}
