package tokencache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
)

// A File is a cache in a file. It is safe for concurrent use, by other processes as well.
type File struct {
	path     string
	now      func() time.Time
	replaced func() // reports that a damaged file is replaced
}

// Open checks that the file can be used, and creates nothing. A file that is not a cache, that
// others may read, or that a newer version wrote is refused, and stays unchanged. A damaged cache
// is replaced later, which replaced reports.
func Open(path string, now func() time.Time, replaced func()) (*File, error) {
	f := &File{path: path, now: now, replaced: replaced}
	if err := atomicfile.CheckDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if _, err := f.read(); err != nil && !errors.Is(err, errCorrupt) {
		return nil, err
	}
	return f, nil
}

var errLife = errors.New("the life must be positive")

// Get is for [token.Store].
func (f *File) Get(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := f.read() // without the lock: files are replaced as a whole
	if errors.Is(err, errCorrupt) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if s, ok := c.Tokens[key]; ok && f.now().Before(s.Expires) {
		return s.Value, nil
	}
	return nil, nil
}

// Put is for [token.Store].
func (f *File) Put(ctx context.Context, key string, value []byte, life time.Duration) error {
	if life <= 0 {
		return errLife
	}
	return f.change(ctx, func(c *content) bool {
		c.Tokens[key] = sealed{f.now().Add(life), value}
		return true
	})
}

// Lease is for [token.Store].
func (f *File) Lease(ctx context.Context, key, owner string, life time.Duration) (won bool, err error) {
	if life <= 0 {
		return false, errLife
	}
	err = f.change(ctx, func(c *content) bool {
		held, ok := c.Leases[key]
		if ok && held.Owner != owner && f.now().Before(held.Expires) {
			return false
		}
		won = true
		expires := f.now().Add(life)
		if ok && held.Owner == owner && held.Expires.After(expires) {
			return false
		}
		c.Leases[key] = lease{expires, owner}
		return true
	})
	return won && err == nil, err
}

// Release is for [token.Store].
func (f *File) Release(ctx context.Context, key, owner string) error {
	return f.change(ctx, func(c *content) bool {
		if c.Leases[key].Owner != owner {
			return false
		}
		delete(c.Leases, key)
		return true
	})
}

// read reads the file. Without one, the cache is empty.
func (f *File) read() (*content, error) {
	text, err := atomicfile.Read(f.path, maxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return empty(), nil
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w: run chmod 600 on it, or name another file", err)
	case err != nil:
		return nil, err
	}
	c, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	return c, nil
}

// change reads the file, lets alter change it, and replaces it if alter says so, while no other
// process does the same.
func (f *File) change(ctx context.Context, alter func(*content) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	lock, err := f.lock(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }() // the kernel ends it with the process
	c, err := f.read()
	if errors.Is(err, errCorrupt) {
		f.replaced()
		c, err = empty(), nil
	}
	if err != nil {
		return err
	}
	if !alter(c) {
		return nil
	}
	text, err := c.encode(f.now())
	if err != nil {
		return err
	}
	if err := lock.Check(); err != nil {
		return err
	}
	return atomicfile.Write(f.path, text, 0o600)
}

// lock waits for the lock, until ctx ends.
func (f *File) lock(ctx context.Context) (*atomicfile.LockFile, error) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		lock, _, err := atomicfile.TryLock(f.path + ".lock")
		if !errors.Is(err, atomicfile.ErrLocked) {
			return lock, err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("%s.lock: %w", f.path, err)
		}
	}
}
