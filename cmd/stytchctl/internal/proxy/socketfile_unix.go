//go:build unix

package proxy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// maxSocketPath leaves room for the temporary folder in which a socket is made: systems limit the
// path of a socket to 104 bytes or a few more.
const maxSocketPath = 80

func checkSocketPath(path string) error {
	if len(path) > maxSocketPath {
		return refuse("TokenSocket", "the path has more than %d bytes, which a socket cannot have: choose a shorter one", maxSocketPath)
	}
	return nil
}

// socketListener is a listener whose file is removed with it.
type socketListener struct {
	net.Listener
	path string
	own  os.FileInfo
}

// listenSocket makes a socket that only this user can open. It is made in a folder that no one else
// can enter and moved to its path when its mode is right: there is no moment at which others could
// connect.
func listenSocket(ctx context.Context, path string) (net.Listener, error) {
	if err := checkSocketPlace(ctx, path); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	temporary := filepath.Join(dir, "s")
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", temporary)
	if err != nil {
		return nil, err
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	l := &socketListener{Listener: listener, path: path}
	if err = os.Chmod(temporary, 0o600); err == nil {
		if l.own, err = os.Lstat(temporary); err == nil {
			err = os.Rename(temporary, path)
		}
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return l, nil
}

// checkSocketPlace refuses a path that is in use, and a folder in which others could put a socket
// of theirs in the place of ours.
func checkSocketPlace(ctx context.Context, path string) error {
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if folder.Mode().Perm()&0o022 != 0 && folder.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("others may write to the folder of %s: use one that is yours alone", path)
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and not a socket: choose another path, or remove it", path)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		conn.Close()
		return fmt.Errorf("%s: %w by another process: stop it, or choose another path", path, syscall.EADDRINUSE)
	case errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist): // left behind
		return nil
	}
	return err
}

// Close ends the listener and removes its file, unless another one has taken its place.
func (l *socketListener) Close() error {
	err := l.Listener.Close()
	if info, statErr := os.Lstat(l.path); statErr == nil && os.SameFile(info, l.own) {
		err = errors.Join(err, os.Remove(l.path))
	}
	return err
}
