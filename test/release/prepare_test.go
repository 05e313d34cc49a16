package release

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/heavy"
)

// small is a repository with the shape of this one, whose command compiles in seconds.
func small(t *testing.T) map[string]string {
	return map[string]string{
		"go.mod":                      root,
		"LICENSE":                     mit(t),
		"CHANGELOG.md":                "# Changelog\n\n## Unreleased\n\n- Do this.\n",
		"test/go.mod":                 nested("test", "\nrequire github.com/stytchkit/m2m v0.0.0\n\nreplace github.com/stytchkit/m2m => ..\n"),
		"test/contractassets/main.go": "package main\n\nimport \"os\"\n\nfunc main() { os.WriteFile(os.Args[2]+\"/openapi.json\", nil, 0o644) }\n",
		versionFile:                   "package project\n\nconst Version = \"0.0.0\"\n",
		"contrib/redis/go.mod":        nested("contrib/redis", "\nrequire github.com/stytchkit/m2m v0.0.0\n\nreplace github.com/stytchkit/m2m => ../..\n"),
		"contrib/redis/r.go":          "package redis\n\nimport _ \"github.com/stytchkit/m2m/internal/project\"\n",
		"cmd/stytchctl/go.mod": nested("cmd/stytchctl", "\nrequire (\n\tgithub.com/stytchkit/m2m v0.0.0\n\tgithub.com/stytchkit/m2m/contrib/redis v0.0.0\n)\n\n"+
			"replace (\n\tgithub.com/stytchkit/m2m => ../..\n\tgithub.com/stytchkit/m2m/contrib/redis => ../../contrib/redis\n)\n"),
		"cmd/stytchctl/main.go": "package main\n\nimport (\n\t\"syscall\"\n\n\t_ \"github.com/stytchkit/m2m/contrib/redis\"\n\t\"github.com/stytchkit/m2m/internal/project\"\n)\n\n" +
			"func main() { syscall.Write(1, []byte(`{\"version\": \"`+project.Version+`\"}`)) }\n",
	}
}

// stateOf is the state of a repository, with its references below a prefix.
func stateOf(t *testing.T, repository program, references string) string {
	t.Helper()
	return mustRun(t, repository, "git", "status", "--porcelain", "--branch") + mustRun(t, repository, "git", "for-each-ref", references) + mustRun(t, repository, "git", "worktree", "list")
}

// TestPrepare makes the tags of a release, then looks at them as the workflow does that a tag
// starts, and refuses tags that were made by hand. TestRelease makes a dry run.
func TestPrepare(t *testing.T) {
	heavy.Only(t)
	repository := newRepository(t, small(t))
	before, log := stateOf(t, repository, "refs/heads"), bytes.Buffer{}
	options := Options{Repository: repository.dir, Version: "v0.1.0", Dist: filepath.Join(t.TempDir(), "dist"), Platforms: []string{runtime.GOOS + "/" + runtime.GOARCH}, Tag: true, Log: &log}
	if err := Prepare(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	sums := readFile(t, options.Dist, "SHA256SUMS")
	for _, name := range []string{"stytchctl_0.1.0_" + runtime.GOOS + "_" + runtime.GOARCH, "CHANGELOG.md", "LICENSE", "NOTES.md", "openapi.json", "THIRD_PARTY_LICENSES"} {
		if sum, err := sha256Of(filepath.Join(options.Dist, name)); err != nil || !strings.Contains(sums, sum+"  "+name+"\n") {
			t.Errorf("%s is not in SHA256SUMS with %s (%v):\n%s", name, sum, err, sums)
		}
	}
	want := []string{"cmd/stytchctl/v0.1.0", "contrib/redis/v0.1.0", "v0.1.0"}
	if tags := mustRun(t, repository, "git", "tag"); tags != strings.Join(want, "\n") {
		t.Fatalf("the tags are %s, want %v", tags, want)
	}
	if !strings.Contains(log.String(), "git push --atomic origin contrib/redis/v0.1.0 cmd/stytchctl/v0.1.0\n    git push origin v0.1.0\n") {
		t.Errorf("it does not say how to push:\n%s", log.String())
	}
	if goMod := mustRun(t, repository, "git", "show", "cmd/stytchctl/v0.1.0:cmd/stytchctl/go.mod"); strings.Contains(goMod, "replace") || strings.Count(goMod, " v0.1.0\n") != 2 {
		t.Errorf("cmd/stytchctl/go.mod at its tag is\n%s", goMod)
	}
	if version := mustRun(t, repository, "git", "show", "v0.1.0:"+versionFile); !strings.Contains(version, `"0.1.0"`) {
		t.Errorf("%s at the tag is %s", versionFile, version)
	}
	wantError(t, Prepare(t.Context(), options), "v0.1.0 is released already")
	options.Platforms, options.Tag = nil, false

	if after := stateOf(t, repository, "refs/heads"); after != before {
		t.Errorf("beside its tags, a release changed\n%s\nto\n%s", before, after)
	}

	t.Run("at the tag", func(t *testing.T) {
		mustRun(t, repository, "git", "checkout", "--quiet", "v0.1.0")
		defer mustRun(t, repository, "git", "checkout", "--quiet", "main")
		if err := Prepare(t.Context(), options); err != nil {
			t.Error(err)
		}
		if !strings.Contains(log.String(), "are at this commit, which is what a release makes") {
			t.Errorf("it does not confirm the tags:\n%s", log.String())
		}
		mustRun(t, repository, "git", "tag", "--delete", "contrib/redis/v0.1.0")
		wantError(t, Prepare(t.Context(), options), "contrib/redis/v0.1.0: the tag is not at")
	})

	t.Run("a tag by hand", func(t *testing.T) {
		commitFiles(t, repository, map[string]string{"CHANGELOG.md": "# Changelog\n\n## Unreleased\n\n## v0.2.0, 2026-01-02\n\n- Do that.\n"})
		mustRun(t, repository, "git", "tag", "v0.2.0")
		options := options
		options.Version = "v0.2.0"
		wantError(t, Prepare(t.Context(), options), "its commit is not a release of itself", "cmd/stytchctl/go.mod")
		options.Version = "v0.3.0"
		wantError(t, Prepare(t.Context(), options), `"## Unreleased" is empty`)
	})
}

// A folder that a release did not make stays.
func TestEmptyDist(t *testing.T) {
	dir := t.TempDir()
	wantError(t, emptyDist(filepath.Join(dir, "dist")))
	writeFile(t, filepath.Join(dir, "dist", "old"), "")
	wantError(t, emptyDist(filepath.Join(dir, "dist")))
	if _, err := os.Stat(filepath.Join(dir, "dist", "old")); err == nil {
		t.Error("a file of an earlier release is still there")
	}
	writeFile(t, filepath.Join(dir, "mine", "letter"), "")
	wantError(t, emptyDist(filepath.Join(dir, "mine")), "name another folder")
	if _, err := os.Stat(filepath.Join(dir, "mine", "letter")); err != nil {
		t.Error(err)
	}
}
