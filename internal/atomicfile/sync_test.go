//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// recordSyncs replaces syncFile by one that records what is synced, and what the file has and is
// called at that time.
func recordSyncs(t *testing.T, path string, fail func(what string) error) *[]string {
	t.Helper()
	var calls []string
	former := syncFile
	syncFile = func(f *os.File) error {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		what := "folder"
		if !info.IsDir() {
			data, err := os.ReadFile(f.Name())
			if err != nil {
				return err
			}
			what = "file with " + string(data)
		}
		renamed := "before the rename"
		if data, err := os.ReadFile(path); err == nil && string(data) == "new" {
			renamed = "after the rename"
		}
		calls = append(calls, what+" "+renamed)
		return errors.Join(fail(what), former(f))
	}
	t.Cleanup(func() { syncFile = former })
	return &calls
}

// The content is synced before it gets its name, and the name before Write returns. Otherwise a
// crash of the machine leaves an empty file, or the old one.
func TestSyncOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	calls := recordSyncs(t, path, func(string) error { return nil })
	if err := Write(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if want := []string{"file with new before the rename", "folder after the rename"}; !slices.Equal(*calls, want) {
		t.Errorf("synced %q, want %q", *calls, want)
	}
	*calls = nil
	pending, err := Prepare(path, []byte("newer"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"file with newer after the rename"}; !slices.Equal(*calls, want) {
		t.Errorf("Prepare synced %q, want %q", *calls, want)
	}
	pending.Discard()
	*calls = nil
	if err := Dir(filepath.Join(filepath.Dir(path), "folder")); err != nil {
		t.Fatal(err)
	}
	if len(*calls) != 1 || !strings.HasPrefix((*calls)[0], "folder") {
		t.Errorf("Dir synced %q, want the parent folder", *calls)
	}
}

// A sync that fails is an error of Write, and content that was not synced gets no name.
func TestSyncFails(t *testing.T) {
	for what, want := range map[string]string{"file": "old", "folder": "new"} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			if err := Write(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			recordSyncs(t, path, func(synced string) error {
				if strings.HasPrefix(synced, what) {
					return syscall.EIO
				}
				return nil
			})
			if err := Write(path, []byte("new"), 0o600); !errors.Is(err, syscall.EIO) {
				t.Errorf("Write when the %s cannot be synced: %v", what, err)
			}
			entries, err := os.ReadDir(dir)
			if data, readErr := os.ReadFile(path); err != nil || readErr != nil || string(data) != want || len(entries) != 1 {
				t.Errorf("after a failed sync of the %s: content %q of %d files, want %q", what, data, len(entries), want)
			}
		})
	}
}
