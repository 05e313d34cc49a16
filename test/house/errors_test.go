package house

import (
	"flag"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/errors.golden")

const goldenErrors = "testdata/errors.golden"

// TestErrors compares what the errors of all packages say with a list of them, so that a change of
// a text is seen in review, and holds each to the rules: a text that a caller gets begins with the
// name of its package, and all are written in plain English.
func TestErrors(t *testing.T) {
	var got []string
	for _, s := range sources(t) {
		if s.Name == "main" || strings.HasPrefix(s.path(), "examples/") || strings.HasPrefix(s.path(), "test/") || s.path() == "bench" {
			continue // programs and tests
		}
		e := s.errorTexts()
		for _, where := range sortedKeys(e.unknown) {
			t.Errorf("%s: the text of an error cannot be followed: %s", s.path(), where)
		}
		for _, text := range sortedKeys(e.texts) {
			line := s.path() + ": " + strings.ReplaceAll(text, "\n", `\n`)
			got = append(got, line)
			for _, fault := range faultsOf(text) {
				t.Errorf("%s: %s", line, fault)
			}
		}
		if strings.HasPrefix(s.path(), "internal/") {
			continue // those who call them put a name before the text
		}
		if strings.HasPrefix(s.path(), command) {
			continue // what a person reads on stderr begins with "error: "
		}
		for _, text := range sortedKeys(e.exposed) {
			if !strings.HasPrefix(text, path.Base(s.ImportPath)+": ") && !strings.HasPrefix(text, "{") {
				t.Errorf("%s: %q is returned as it stands, and must begin with %q", s.fset.Position(e.exposed[text]), text, path.Base(s.ImportPath)+": ")
			}
		}
	}
	slices.Sort(got)
	if *update {
		if err := os.WriteFile(goldenErrors, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(goldenErrors)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("new, run the test with -update if it is right: %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("gone, run the test with -update if it is right: %s", line)
		}
	}
}
