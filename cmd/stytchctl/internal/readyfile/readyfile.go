// Package readyfile writes the file by which a script learns that a server is ready, and where: the
// --ready-file of the commands that serve.
package readyfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

// ErrInUse is that the server of the file still runs.
var ErrInUse = errors.New("the server that wrote it still runs")

// answerLimit is how long a server may take to accept a connection. It is on this machine.
const answerLimit = time.Second

// A File is a ready file. The zero File, which has no path, is none.
type File struct {
	path string
	text []byte // what Write put there
}

// Prepare removes a file that a crash left behind, so that no script takes it for that of the
// server that is about to start. A file whose server still accepts connections is [ErrInUse], and
// stays.
func Prepare(ctx context.Context, path string) (*File, error) {
	if path == "" {
		return &File{}, nil
	}
	text, err := os.ReadFile(path) //nolint:gosec // the user names it
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &File{path: path}, nil
	case err != nil:
		return nil, refuse(err)
	case answers(ctx, text):
		return nil, cli.Errorf(cli.Conflict, "--ready-file: %s: %w: name another file. Nothing was started.", path, ErrInUse)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(err)
	}
	return &File{path: path}, nil
}

func refuse(err error) error { return cli.Usagef("--ready-file: %w. Nothing was started.", err) }

// answers reports whether the server that a ready file names accepts a connection.
func answers(ctx context.Context, text []byte) bool {
	var content struct {
		URL string `json:"url"`
	}
	if json.Unmarshal(text, &content) != nil {
		return false
	}
	address, err := url.Parse(content.URL)
	if err != nil || address.Host == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address.Host)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// Write puts the file where a script waits for it: whole, and for its owner alone. The content has
// the address of the server as "url".
func (f *File) Write(content any) error {
	if f.path == "" {
		return nil
	}
	text, err := json.Marshal(content)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if err := replace(f.path, text); err != nil {
		return refuse(err)
	}
	f.text = text
	return nil
}

func replace(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(text)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// Remove removes the file if it is still the one that Write put there.
func (f *File) Remove() error {
	if f.text == nil {
		return nil
	}
	text, err := os.ReadFile(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !bytes.Equal(text, f.text):
		return nil
	case err != nil:
		return err
	}
	return os.Remove(f.path)
}
