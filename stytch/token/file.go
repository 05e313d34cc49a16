package token

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/stytchkit/m2m/stytch/secret"
)

const maxFile = 16 << 10 // bytes of a credentials file

// File reads the credentials from a file before every token request, so the file may change at any
// time. Replace it by renaming: a file that is only half written is an error, and is read again a
// moment later. It holds either JSON,
//
//	{"client_id": "…", "client_secret": "…", "next_client_secret": "…"}
//
// or the same values in the same order, one per line. The next secret may be left out. A file that
// everyone may write to is refused. Who may read it is not checked, because every process in a
// container can read the secrets that Kubernetes mounts there; elsewhere, give it mode 0600.
func File(path string) Credentials { return file(path) }

type file string

func (f file) check() error {
	if f == "" {
		return invalid("File", "path must not be empty")
	}
	return nil
}

func (f file) Credential(context.Context) (Credential, error) {
	data, err := f.read()
	if err != nil {
		return Credential{}, err
	}
	return parseFile(data)
}

func (f file) read() ([]byte, error) {
	info, err := os.Stat(string(f)) // before opening, which blocks if the file is a pipe
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", f)
	case info.Mode().Perm()&0o002 != 0:
		return nil, fmt.Errorf("%s may be written to by everyone: set its mode to 0600", f)
	}
	opened, err := os.Open(string(f))
	if err != nil {
		return nil, err
	}
	defer func() { _ = opened.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(opened, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", f, maxFile)
	}
	return data, nil
}

// parseFile never quotes what it reads.
func parseFile(data []byte) (Credential, error) {
	data = bytes.TrimSpace(data)
	if bytes.HasPrefix(data, []byte("{")) {
		return parseFileJSON(data)
	}
	lines := strings.Split(string(data), "\n")
	if len(lines) < 2 || len(lines) > 3 {
		return Credential{}, errors.New("file must be a JSON object, or one line with the client id and one or two with its secrets")
	}
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	c := Credential{ClientID: lines[0], Secret: secret.New(lines[1])}
	if len(lines) == 3 {
		c.Next = secret.New(lines[2])
	}
	return c, nil
}

func parseFileJSON(data []byte) (Credential, error) {
	fields, err := parseObject(data)
	if err != nil {
		return Credential{}, fmt.Errorf("file must be one JSON object: %w", err)
	}
	var texts [3]string
	for i, name := range []string{"client_id", "client_secret", "next_client_secret"} {
		var ok bool
		if texts[i], ok = fields.text(name); !ok {
			return Credential{}, fmt.Errorf("%s in the file must be a string", name)
		}
	}
	return Credential{ClientID: texts[0], Secret: secret.New(texts[1]), Next: secret.New(texts[2])}, nil
}
