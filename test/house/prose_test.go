package house

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	commentWidth = 100 // columns, where a tab counts as four
	tabWidth     = 4
	fileLength   = 500 // lines
)

// text is a file that was written by hand.
type text struct {
	name string // from the root
	data []byte
	ast  *ast.File // nil if it is not Go
	fset *token.FileSet
}

// handwritten are the files of the repository with one of these endings, tests included, generated
// ones left out.
func handwritten(t *testing.T, patterns ...string) (all []text) {
	t.Helper()
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	names, err := tracked(root, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.Contains("/"+name, "/testdata/") || strings.HasPrefix(name, "test/house/") && strings.Contains(name, "words") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		f := text{name: name, data: data}
		if strings.HasSuffix(name, ".go") {
			f.fset = token.NewFileSet()
			if f.ast, err = parser.ParseFile(f.fset, name, data, parser.ParseComments); err != nil {
				t.Fatal(err)
			}
			if ast.IsGenerated(f.ast) {
				continue
			}
		}
		all = append(all, f)
	}
	return all
}

func TestFileLength(t *testing.T) {
	for _, f := range handwritten(t, "*.go", "*.mjs") {
		if n := bytes.Count(f.data, []byte("\n")); n > fileLength {
			t.Errorf("%s: %d lines, at most %d", f.name, n, fileLength)
		}
	}
}

// A line that is all comment ends at column 100, so that it can be read beside a diff. Lines of
// code are the formatter's.
func TestCommentWidth(t *testing.T) {
	for _, f := range handwritten(t, "*.go") {
		comments := map[int]bool{}
		for _, group := range f.ast.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, "// Output:") || strings.HasPrefix(c.Text, "// Unordered output:") {
					break // what follows is compared with what an example prints
				}
				for line := f.fset.Position(c.Pos()).Line; line <= f.fset.Position(c.End()).Line; line++ {
					comments[line] = true
				}
			}
		}
		number := 0
		for line := range strings.Lines(string(f.data)) {
			number++
			line = strings.TrimSuffix(line, "\n")
			body := strings.TrimLeft(line, "\t")
			if !comments[number] || !strings.HasPrefix(body, "//") || strings.HasPrefix(body, "//go:") || strings.HasPrefix(body, "//\t") || strings.HasPrefix(body, "//\t") || len(strings.Fields(body)) < 3 { // code and addresses are not broken
				continue
			}
			if width := len([]rune(body)) + tabWidth*(len(line)-len(body)); width > commentWidth {
				t.Errorf("%s:%d: %d columns", f.name, number, width)
			}
		}
	}
}

func TestWords(t *testing.T) {
	for _, f := range handwritten(t, "*.go") {
		for _, group := range f.ast.Comments {
			for _, fault := range faultsOf(group.Text()) {
				t.Errorf("%s: %s", f.fset.Position(group.Pos()), fault)
			}
		}
	}
	for _, f := range handwritten(t, "*.md", "*.yaml", "*.yml", "Makefile") {
		number := 0
		for line := range strings.Lines(string(f.data)) {
			number++
			for _, fault := range faultsOf(line) {
				t.Errorf("%s:%d: %s", f.name, number, fault)
			}
		}
	}
}

func TestFaultsOf(t *testing.T) {
	for text, want := range map[string]int{
		"Resume continues the rotation.":                0,
		"Run begins anew.":                              1,
		"Nobody told the caller, who goes on\nwith it.": 3,
		"The behaviour of a cancelled call.":            1,
		"to mend the amended":                           1,
		"intelligible retold":                           0,
	} {
		if got := faultsOf(text); len(got) != want {
			t.Errorf("%q: %q, want %d faults", text, got, want)
		}
	}
}
