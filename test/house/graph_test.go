package house

import (
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var updateGraph = flag.Bool("update-graph", false, "rewrite the import graph in docs/architecture.md")

const (
	graphStart = "<!-- imports: written by `cd test && go test ./house -run TestImportGraph -update-graph` -->\n"
	graphEnd   = "<!-- end of imports -->\n"
)

// The picture in docs/architecture.md shows what go list says.
func TestImportGraph(t *testing.T) {
	page := filepath.FromSlash("../../docs/architecture.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), graphStart)
	_, after, closed := strings.Cut(rest, graphEnd)
	if !found || !closed {
		t.Fatalf("%s has no place for the graph", page)
	}
	want := before + graphStart + importGraph(t) + graphEnd + after
	if string(text) == want {
		return
	}
	if !*updateGraph {
		t.Fatalf("the imports have changed: run the command in the comment of %s", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

// importGraph draws the packages that users import, without internal ones.
func importGraph(t *testing.T) string {
	const module = "github.com/stytchkit/m2m/"
	shown := func(name string) bool {
		for _, prefix := range []string{"gen", "stytch", "contrib/"} {
			if strings.HasPrefix(name, prefix) && !strings.HasSuffix(name, "test") {
				return true
			}
		}
		return false
	}
	modules, err := filepath.Glob("../../contrib/*")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, dir := range append([]string{"../.."}, modules...) {
		for _, p := range listImports(t, dir) {
			from := strings.TrimPrefix(p.ImportPath, module)
			for _, imported := range p.Imports {
				to, ours := strings.CutPrefix(imported, module)
				if ours && shown(from) && shown(to) {
					lines = append(lines, "    "+node(from)+" --> "+node(to)+"\n")
				}
			}
		}
	}
	slices.Sort(lines)
	return "\n```mermaid\ngraph LR\n" + strings.Join(slices.Compact(lines), "") + "```\n\n"
}

// node is a package in Mermaid, labeled with the end of its path.
func node(name string) string {
	return strings.ReplaceAll(name, "/", "_") + "[" + path.Base(name) + "]"
}

type importing struct {
	ImportPath string
	Imports    []string
}

func listImports(t *testing.T, dir string) (packages []importing) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p importing
		switch err := decoder.Decode(&p); err {
		case nil:
			packages = append(packages, p)
		case io.EOF:
			return packages
		default:
			t.Fatal(err)
		}
	}
}
