package profile

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/atomicfile"
)

const (
	maxConfig = 1 << 20
	lockLimit = 2 * time.Second // another command changes config.yaml within milliseconds
)

// load reads config.yaml. Without the file there are no profiles.
func (p *Profiles) load() (*config, error) {
	path, err := p.Path()
	if err != nil {
		return nil, err
	}
	text, err := readConfig(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &config{profiles: map[string]Profile{}}, nil
	case err != nil:
		return nil, cli.Errorf(cli.Usage, "%w. Nothing was done.", err)
	}
	c, err := parse(path, text)
	if err != nil {
		return nil, cli.Usagef("%w. Nothing was done.", err)
	}
	return c, nil
}

// readConfig refuses a file that others may change: it says where the secret is sent.
func readConfig(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // the configuration of the user
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("it is not a regular file")}
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0:
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("others may change it, and so where the secret is sent: run chmod go-w " + path)}
	}
	text, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err == nil && len(text) > maxConfig {
		err = &fs.PathError{Op: "read", Path: path, Err: errors.New("it is larger than 1 MiB")}
	}
	return text, err
}

// change reads config.yaml, lets f change it, and writes it, while no other command does.
func (p *Profiles) change(ctx context.Context, f func(*config) error) error {
	path, err := p.Path()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return cli.Usagef("%w. Nothing was stored.", err)
	}
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	c, err := p.load()
	if err != nil {
		return err
	}
	if err := f(c); err != nil {
		return err
	}
	text, err := c.encode()
	if err != nil {
		return err
	}
	return cli.WriteFile(path, text, 0o600)
}

// lock waits until no other command changes the configuration. Where files cannot be locked, the
// last change wins.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockLimit)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		held, _, err := atomicfile.TryLock(path)
		switch {
		case err == nil:
			return func() { _ = held.Unlock() }, nil // the kernel ends the lock with the process
		case errors.Is(err, errors.ErrUnsupported):
			return func() {}, nil
		case !errors.Is(err, atomicfile.ErrLocked):
			return nil, cli.Usagef("%w. Nothing was stored.", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, cli.Errorf(cli.Conflict, "%s: another command is changing the profiles: try again. Nothing was stored.", path)
		}
	}
}
