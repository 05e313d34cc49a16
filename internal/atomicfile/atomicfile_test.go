//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stytchkit/m2m/internal/atomicfile"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := atomicfile.Read(path, 100)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, strings.Repeat("n", 255)) // the longest name there is
	for _, text := range []string{"first", "", "another"} {
		if err := atomicfile.Write(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != text {
			t.Errorf("holds %q, want %q", got, text)
		}
	}
	if all := names(t, dir); len(all) != 1 {
		t.Errorf("left behind: %q", all)
	}
}

// The mode is the one that was asked for: of a new file whatever the umask, and of one that had
// another mode.
func TestWriteMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, mode := range []fs.FileMode{0o600, 0o644, 0o666, 0o400, 0o600} {
		if err := atomicfile.Write(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("mode %v, %v; want %v", info.Mode(), err, mode)
		}
	}
}

// A symlink is replaced: what it leads to is not touched.
func TestWriteSymlink(t *testing.T) {
	dir := t.TempDir()
	target, path := filepath.Join(dir, "target"), filepath.Join(dir, "file")
	if err := errors.Join(os.WriteFile(target, []byte("theirs"), 0o600), os.Symlink(target, path)); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(path, []byte("ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	if read(t, target) != "theirs" || read(t, path) != "ours" {
		t.Error("the symlink was followed")
	}
}

// A failure at any point leaves the old content, or after the rename the new one, and no other
// file.
func TestWriteFails(t *testing.T) {
	full := fmt.Errorf("disk: %w", syscall.ENOSPC)
	for point, want := range map[string]string{"created": "former", "written": "former", "synced": "former", "renamed": "new"} {
		t.Run(point, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			if err := atomicfile.Write(path, []byte("former"), 0o600); err != nil {
				t.Fatal(err)
			}
			var reached []string
			atomicfile.Point = func(name string) error {
				if reached = append(reached, name); name == point {
					return full
				}
				return nil
			}
			defer func() { atomicfile.Point = nil }()
			if err := atomicfile.Write(path, []byte("new"), 0o600); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("Write: %v", err)
			}
			if got := read(t, path); got != want {
				t.Errorf("holds %q, want %q", got, want)
			}
			if all := names(t, dir); len(all) != 1 {
				t.Errorf("left behind: %q", all)
			}
			if reached[len(reached)-1] != point {
				t.Errorf("went on: %q", reached)
			}
		})
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(filepath.Join(dir, "folder"), []byte("new"), 0o600); err == nil {
		t.Error("Write over a folder is no error")
	}
	if all := names(t, dir); len(all) != 1 {
		t.Errorf("left behind: %q", all)
	}
	if err := atomicfile.Write(filepath.Join(dir, "absent", "file"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Write into an absent folder: %v", err)
	}
}

// The steps come in the order that makes the content durable before its name.
func TestWriteOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var steps []string
	atomicfile.Point = func(name string) error {
		_, err := os.Lstat(path)
		steps = append(steps, fmt.Sprintf("%s %t", name, err == nil))
		return nil
	}
	defer func() { atomicfile.Point = nil }()
	if err := atomicfile.Write(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(steps), "[created false written false synced false renamed true]"; got != want {
		t.Errorf("steps, and whether the file is there: %s, want %s", got, want)
	}
}

// Readers see one content or the other, whole, while writers replace it and sweepers sweep.
func TestWriteConcurrently(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	contents := [][]byte{bytes.Repeat([]byte("a"), 4000), bytes.Repeat([]byte("b"), 9000)}
	if err := atomicfile.Write(path, contents[0], 0o600); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 25 {
				if err := atomicfile.Write(path, contents[i%2], 0o600); err != nil {
					t.Errorf("Write: %v", err)
				}
				if err := atomicfile.Sweep(dir); err != nil {
					t.Errorf("Sweep: %v", err)
				}
				data, err := atomicfile.Read(path, 9000)
				if err != nil || !bytes.Equal(data, contents[0]) && !bytes.Equal(data, contents[1]) {
					t.Errorf("Read: %d bytes that nobody wrote, %v", len(data), err)
				}
			}
		})
	}
	group.Wait()
	if all := names(t, dir); len(all) != 1 {
		t.Errorf("left behind: %q", all)
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	living, err := atomicfile.Prepare(filepath.Join(dir, "living"), []byte("new"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	unfinished := names(t, dir)[0]
	dead := filepath.Join(dir, unfinished[:len(unfinished)-1]+"_")
	other := filepath.Join(dir, "other")
	if err := errors.Join(os.WriteFile(dead, nil, 0o600), os.WriteFile(other, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Sweep(dir); err != nil {
		t.Fatal(err)
	}
	if all := names(t, dir); fmt.Sprint(all) != fmt.Sprintf("[%s other]", unfinished) {
		t.Errorf("after Sweep: %q", all)
	}
	if err := living.Commit(); err != nil {
		t.Fatal(err)
	}
	if read(t, filepath.Join(dir, "living")) != "new" {
		t.Error("what was not finished is lost")
	}
	if err := atomicfile.Sweep(filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Sweep of an absent folder: %v", err)
	}
}

func TestDir(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for range 2 {
		if err := atomicfile.Dir(at("new")); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Lstat(at("new")); err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("created with mode %v, %v", info.Mode(), err)
	}
	if err := errors.Join(
		os.WriteFile(at("file"), nil, 0o600), os.Symlink(at("new"), at("link")), os.Symlink(at("nowhere"), at("dangling")),
		os.Mkdir(at("shared"), 0o700), os.Chmod(at("shared"), 0o710),
	); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "link", "link/", "dangling", "shared", "absent/new", "file/new"} {
		if err := atomicfile.Dir(dir + "/" + name); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(name, "/")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.WriteFile(at("private"), []byte("text"), 0o600), os.WriteFile(at("read-only"), []byte("text"), 0o400),
		os.WriteFile(at("large"), make([]byte, 101), 0o600), os.WriteFile(at("shared"), nil, 0o600), os.Chmod(at("shared"), 0o604),
		os.Mkdir(at("folder"), 0o700), os.Symlink(at("private"), at("link")), syscall.Mkfifo(at("pipe"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"private", "read-only"} {
		if got := read(t, at(name)); got != "text" {
			t.Errorf("%s holds %q", name, got)
		}
	}
	for name, want := range map[string]error{
		"absent": fs.ErrNotExist, "large": atomicfile.ErrTooLarge, "shared": fs.ErrPermission, "folder": nil, "link": nil, "pipe": nil,
	} {
		data, err := atomicfile.Read(at(name), 100)
		if err == nil || want != nil && !errors.Is(err, want) || data != nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %d bytes, %v, want %v", name, len(data), err, want)
		}
	}
}

func TestForeign(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give something away")
	}
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.Chmod(dir, 0o700), os.Chown(dir, 12345, -1), os.WriteFile(path, nil, 0o600), os.Chown(path, 12345, -1)); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Dir(dir); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Dir: %v", err)
	}
	if _, err := atomicfile.Read(path, 100); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Read: %v", err)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := func() *os.File {
		f, err := atomicfile.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	lock := func(f *os.File, want bool) {
		t.Helper()
		if got, err := atomicfile.Lock(f); err != nil || got != want {
			t.Errorf("Lock = %t, %v; want %t", got, err, want)
		}
	}
	first, second := open(), open()
	lock(first, true)
	lock(second, false)
	_ = first.Close()
	lock(second, true)
	if _, err := atomicfile.Lock(first); err == nil {
		t.Error("Lock of a closed file is no error")
	}
}
