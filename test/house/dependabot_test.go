package house

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"github.com/oasdiff/yaml"
)

// dependabot is .github/dependabot.yml, as far as this repository uses it.
type dependabot struct {
	Version int `json:"version"`
	Updates []struct {
		Ecosystem   string         `json:"package-ecosystem"`
		Directory   string         `json:"directory"`
		Directories []string       `json:"directories"`
		Schedule    map[string]any `json:"schedule"`
		Groups      map[string]any `json:"groups"`
	} `json:"updates"`
}

// A manifest that Dependabot does not know of keeps its dependencies forever, and one that is gone
// makes its run fail.
func TestDependabot(t *testing.T) {
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, ".github/dependabot.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file dependabot
	if _, err := yaml.Unmarshal(data, &file, yaml.DecodeOpts{DisableTimestamps: true}); err != nil {
		t.Fatal(err)
	}
	if file.Version != 2 {
		t.Errorf("version %d, want 2", file.Version)
	}
	listed := map[string][]string{}
	for _, u := range file.Updates {
		if u.Schedule["interval"] != "weekly" || len(u.Groups) == 0 {
			t.Errorf("%s: want a weekly schedule and groups", u.Ecosystem)
		}
		if u.Directory != "" {
			u.Directories = append(u.Directories, u.Directory)
		}
		listed[u.Ecosystem] = append(listed[u.Ecosystem], u.Directories...)
	}
	for ecosystem, manifest := range map[string]string{"gomod": "go.mod", "npm": "package.json", "github-actions": ".github/workflows/*"} {
		files, err := tracked(root, manifest, "*/"+manifest)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, name := range files {
			dir := path.Join("/", path.Dir(name))
			if ecosystem == "github-actions" {
				dir = "/" // it looks into .github/workflows by itself
			}
			want = append(want, dir)
		}
		slices.Sort(want)
		want = slices.Compact(want)
		got := listed[ecosystem]
		slices.Sort(got)
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: .github/dependabot.yml lists %q, the repository has %q", ecosystem, got, want)
		}
	}
}
