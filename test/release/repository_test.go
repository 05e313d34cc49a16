package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newRepository makes a git repository of these files, with one commit.
func newRepository(t *testing.T, files map[string]string) program {
	t.Helper()
	p := program{dir: t.TempDir()}
	mustRun(t, p, "git", "init", "--quiet", "--initial-branch=main")
	mustRun(t, p, "git", "config", "user.name", "Maintainer")
	mustRun(t, p, "git", "config", "user.email", "maintainer@example.com")
	commitFiles(t, p, files)
	return p
}

func commitFiles(t *testing.T, p program, files map[string]string) {
	t.Helper()
	for name, text := range files {
		writeFile(t, filepath.Join(p.dir, name), text)
	}
	mustRun(t, p, "git", "add", "--all")
	mustRun(t, p, "git", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message", "Change")
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, elements ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func mustRun(t *testing.T, p program, name string, args ...string) string {
	t.Helper()
	out, err := p.run(t.Context(), name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// wantError fails unless an error has all of these words, and nothing failed if there are none.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if len(words) == 0 && err != nil {
		t.Errorf("error %v, want none", err)
	}
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error %v, want one with %q", err, word)
		}
	}
}
