//go:build unix

package filejournal_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Inspect names each file that is wrong, once, and nothing else.
func TestInspect(t *testing.T) {
	dir := journalDir(t)
	key, lost := secret.Generate(), secret.Generate()
	j := openJournal(t, dir, lost)
	put(t, j, "sealed-with-a-lost-key", rotate.Started, time.Hour)
	j = openJournal(t, dir, key)
	for _, id := range []string{"good", "corrupt", "moved"} {
		put(t, j, id, rotate.Started, time.Hour)
	}
	if found, err := openJournal(t, dir, key, lost).Inspect(t.Context()); len(found) != 0 || err != nil {
		t.Errorf("of a good folder: %v, %v", found, err)
	}
	c := startChild(t, dir, "") // claims a
	if found, err := openJournal(t, dir, key, lost).Inspect(t.Context()); len(found) != 0 || err != nil {
		t.Errorf("while a client is claimed: %v, %v", found, err)
	}
	c.signal(t, syscall.SIGKILL)
	_ = c.Wait()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.Truncate(at("corrupt.json"), 50), os.Rename(at("moved.json"), at("elsewhere.json")),
		os.WriteFile(at("notes.txt"), nil, 0o600), os.WriteFile(at("readable.json"), nil, 0o600), os.Chmod(at("readable.json"), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	found, err := j.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, finding := range found {
		_, rest, _ := strings.Cut(finding.Error(), dir+"/")
		names = append(names, rest[:strings.IndexAny(rest+":", ": ")])
	}
	slices.Sort(names)
	want := []string{"a.lock", "corrupt.json", "elsewhere.json", "notes.txt", "readable.json", "sealed-with-a-lost-key.json"}
	if !slices.Equal(names, want) {
		t.Errorf("found %v, want %q", found, want)
	}
	release(t, claim(t, openJournal(t, dir))) // a: what is left behind does not keep others out
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Inspect(t.Context()); !errors.Is(err, rotate.ErrJournal) {
		t.Errorf("of a folder that is gone: %v", err)
	}
}
