package release

import (
	"slices"
	"testing"
)

const root = "module github.com/stytchkit/m2m\n\ngo 1.25.0\n"

func nested(module, rest string) string {
	return "module github.com/stytchkit/m2m/" + module + "\n\ngo 1.25.0\n" + rest
}

func TestRewrite(t *testing.T) {
	repository := newRepository(t, map[string]string{
		"go.mod":               root,
		"cmd/stytchctl/go.mod": nested("cmd/stytchctl", "\nrequire github.com/stytchkit/m2m v0.0.0\n\nrequire github.com/stytchkit/m2m/contrib/redis v0.0.0 // indirect\n\nreplace (\n\tgithub.com/stytchkit/m2m => ../..\n\tgithub.com/stytchkit/m2m/contrib/redis => ../../contrib/redis\n)\n"),
		"contrib/fork/go.mod":  nested("contrib/fork", "\nreplace example.com/other => example.com/fork v1.0.0\n"),
		"contrib/redis/go.mod": nested("contrib/redis", "\nrequire github.com/stytchkit/m2m v0.0.0\n\nreplace github.com/stytchkit/m2m => ../..\n"),
		"test/go.mod":          nested("test", "\nrequire github.com/stytchkit/m2m v0.0.0\n\nreplace github.com/stytchkit/m2m => ..\n"),
	})
	modules, err := modulesOf(t.Context(), repository)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		".":             root,
		"cmd/stytchctl": nested("cmd/stytchctl", "\nrequire github.com/stytchkit/m2m v0.1.0\n\nrequire github.com/stytchkit/m2m/contrib/redis v0.1.0 // indirect\n"),
		"contrib/redis": nested("contrib/redis", "\nrequire github.com/stytchkit/m2m v0.1.0\n"),
		"test":          nested("test", "\nrequire github.com/stytchkit/m2m v0.1.0\n\nreplace github.com/stytchkit/m2m => ..\n"), // is not published
	}
	var order []string
	for _, m := range modules {
		order = append(order, m.Dir)
		err := m.rewrite(repository.dir, "v0.1.0")
		if m.Dir == "contrib/fork" {
			wantError(t, err, "contrib/fork/go.mod", "it replaces example.com/other", "remove the line")
			continue
		}
		wantError(t, err)
		if got := readFile(t, repository.dir, m.Dir, "go.mod"); got != want[m.Dir] {
			t.Errorf("%s/go.mod is\n%s\nwant\n%s", m.Dir, got, want[m.Dir])
		}
	}
	if slices.Index(order, ".") > slices.Index(order, "contrib/redis") || slices.Index(order, "contrib/redis") > slices.Index(order, "cmd/stytchctl") {
		t.Errorf("the order is %v: each module comes after those that it requires", order)
	}
}

func TestCycle(t *testing.T) {
	_, err := sorted([]Module{{Path: "a"}, {Path: "b", requires: []string{"c"}}, {Path: "c", requires: []string{"a", "b"}}})
	wantError(t, err, "in a cycle")
}

func TestRewriteVersion(t *testing.T) {
	repository := newRepository(t, map[string]string{versionFile: "package project\n\n// Version is.\nconst Version = \"0.1.0\"\n"})
	wantError(t, rewriteVersion(repository.dir, "v0.2.0-rc.1"))
	if got, want := readFile(t, repository.dir, versionFile), "package project\n\n// Version is.\nconst Version = \"0.2.0-rc.1\"\n"; got != want {
		t.Errorf("%s is %q, want %q", versionFile, got, want)
	}
	commitFiles(t, repository, map[string]string{versionFile: "package project\n\nvar Version = \"0.1.0\"\n"})
	wantError(t, rewriteVersion(repository.dir, "v0.2.0"), "0 lines are of the form")
}
