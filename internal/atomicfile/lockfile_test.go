//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/internal/heavy"
)

func TestLockFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, leftover, err := atomicfile.TryLock(path)
	if err != nil || leftover {
		t.Fatalf("TryLock: leftover %t, %v", leftover, err)
	}
	if _, _, err := atomicfile.TryLock(path); !errors.Is(err, atomicfile.ErrLocked) {
		t.Errorf("TryLock of a held lock: %v, want %v", err, atomicfile.ErrLocked)
	}
	if err := errors.Join(first.Check(), first.Unlock()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file after Unlock: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil { // as a dead process leaves it
		t.Fatal(err)
	}
	second, leftover, err := atomicfile.TryLock(path)
	if err != nil || !leftover {
		t.Fatalf("TryLock after a dead holder: leftover %t, %v", leftover, err)
	}

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	third, _, err := atomicfile.TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Check(); !errors.Is(err, atomicfile.ErrLockLost) {
		t.Errorf("Check without the file: %v, want %v", err, atomicfile.ErrLockLost)
	}
	if err := errors.Join(second.Unlock(), third.Check()); err != nil {
		t.Errorf("Unlock of a lost lock: %v", err)
	}
	if err := third.Unlock(); err != nil {
		t.Error(err)
	}

	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := atomicfile.TryLock(path); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("TryLock of a file that others may read: %v", err)
	}
}

// However holders come and go, and although each removes the file, no two have the lock at once.
func TestLockFileConcurrently(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var group sync.WaitGroup
	most := int32(heavy.Count(300, 5000)) //nolint:gosec // small
	var holders, taken atomic.Int32
	for range 8 {
		group.Go(func() {
			for taken.Load() < most {
				lock, _, err := atomicfile.TryLock(path)
				if errors.Is(err, atomicfile.ErrLocked) {
					continue
				}
				if err != nil {
					t.Errorf("TryLock: %v", err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d holders at once", n)
				}
				taken.Add(1)
				holders.Add(-1)
				if err := lock.Unlock(); err != nil {
					t.Errorf("Unlock: %v", err)
				}
			}
		})
	}
	group.Wait()
}

func TestLockShared(t *testing.T) {
	dir := t.TempDir()
	open := func() *os.File {
		f, err := os.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	first, second, third := open(), open(), open()
	for i, step := range []struct {
		lock func(*os.File) (bool, error)
		file *os.File
		want bool
	}{{atomicfile.LockShared, first, true}, {atomicfile.LockShared, second, true}, {atomicfile.Lock, third, false}} {
		if got, err := step.lock(step.file); err != nil || got != step.want {
			t.Errorf("lock %d: %t, %v; want %t", i, got, err, step.want)
		}
	}
	_, _ = first.Close(), second.Close()
	if got, err := atomicfile.Lock(third); err != nil || !got {
		t.Errorf("an exclusive lock after the shared ones: %t, %v", got, err)
	}
	if got, err := atomicfile.LockShared(open()); err != nil || got {
		t.Errorf("a shared lock beside an exclusive one: %t, %v", got, err)
	}
}
