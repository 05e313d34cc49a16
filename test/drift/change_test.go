package drift

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A change is a changed contract and the code generated from it, laid over the module by `go build
// -overlay`. The module itself stays untouched.
type change struct {
	t       *testing.T
	root    string            // of the module
	dir     string            // of the changed files
	replace map[string]string // path in the module -> path of the changed file
}

// changeContract edits api/openapi.yaml and generates the code from it.
func changeContract(t *testing.T, edits ...edit) *change {
	t.Helper()
	c := newChange(t, edits...)
	c.generate()
	return c
}

// newChange edits api/openapi.yaml alone.
func newChange(t *testing.T, edits ...edit) *change {
	t.Helper()
	c := unchanged(t)
	c.put("api/openapi.yaml", edited(t, c.root, edits...))
	return c
}

// unchanged has a copy of the folder api.
func unchanged(t *testing.T) *change {
	t.Helper()
	root, err := filepath.Abs("../..")
	must(t, err)
	c := &change{t: t, root: root, dir: t.TempDir(), replace: map[string]string{}}
	must(t, os.CopyFS(filepath.Join(c.dir, "api"), os.DirFS(filepath.Join(root, "api"))))
	return c
}

// read is a file of the change, or of the module if the change does not have it.
func (c *change) read(path string) string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, filepath.FromSlash(path)))
	if os.IsNotExist(err) {
		text, err = os.ReadFile(filepath.Join(c.root, filepath.FromSlash(path)))
	}
	must(c.t, err)
	return string(text)
}

// put adds or replaces a file of the module.
func (c *change) put(path, text string) {
	c.t.Helper()
	target := filepath.Join(c.dir, filepath.FromSlash(path))
	must(c.t, os.MkdirAll(filepath.Dir(target), 0o755))
	must(c.t, os.WriteFile(target, []byte(text), 0o644))
	c.replace[filepath.Join(c.root, filepath.FromSlash(path))] = target
}

// generate runs the go:generate directives of package gen on the changed contract.
func (c *change) generate() {
	c.t.Helper()
	must(c.t, os.MkdirAll(filepath.Join(c.dir, "bin"), 0o755))
	c.eachGenerated(c.root, func(path string) { must(c.t, os.MkdirAll(filepath.Dir(filepath.Join(c.dir, path)), 0o755)) })
	source, err := os.ReadFile(filepath.Join(c.root, "gen", "doc.go"))
	must(c.t, err)
	directives := 0
	for line := range strings.SplitSeq(string(source), "\n") {
		arguments, ok := strings.CutPrefix(line, "//go:generate go run ")
		if !ok {
			continue
		}
		directives++
		words := strings.Fields(arguments)
		program := filepath.Join(c.dir, "bin", filepath.Base(words[0]))
		c.run(filepath.Join(c.root, "gen"), "go", "build", "-o", program, words[0])
		c.run(filepath.Join(c.dir, "gen"), program, words[1:]...)
	}
	if directives == 0 {
		c.t.Fatal("gen/doc.go has no go:generate directive of the form: go run package arguments")
	}
	c.eachGenerated(c.dir, func(path string) { c.replace[filepath.Join(c.root, path)] = filepath.Join(c.dir, path) })
}

// eachGenerated calls f with the path of every generated file below a folder, relative to it.
func (c *change) eachGenerated(folder string, f func(path string)) {
	c.t.Helper()
	must(c.t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".gen.go") && !strings.HasSuffix(path, ".gen_test.go"):
			return nil
		}
		relative, err := filepath.Rel(folder, path)
		if err == nil {
			f(relative)
		}
		return err
	}))
}

func (c *change) run(dir, program string, arguments ...string) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), program, arguments...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(arguments, " "), err, out)
	}
}

// goTool runs a go command with the change laid over the module. folder is the folder of a go.mod,
// from the root.
func (c *change) goTool(folder, command string, arguments ...string) (output string, err error) {
	c.t.Helper()
	overlay, err := json.Marshal(map[string]any{"Replace": c.replace})
	must(c.t, err)
	path := filepath.Join(c.dir, "overlay.json")
	must(c.t, os.WriteFile(path, overlay, 0o644))
	cmd := exec.CommandContext(c.t.Context(), "go", append([]string{command, "-overlay", path}, arguments...)...)
	cmd.Dir = filepath.Join(c.root, folder)
	cmd.Env = append(os.Environ(), "GOWORK=off", "M2M_HEAVY_TESTS=") // what is proved here needs no full counts
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
