package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/stytchkit/m2m/stytch/secret"
)

// maxSecretFile is far more than any secret needs: a larger file is the wrong one.
const maxSecretFile = 64 << 10

// ReadSecret reads a secret from the file that a flag names; - is stdin. One line break at the end
// is removed.
func (a *App) ReadSecret(flag, name string) (secret.String, error) {
	text, err := a.ReadFile(flag, name, maxSecretFile)
	if err != nil {
		return secret.String{}, err
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	switch {
	case line == "":
		return secret.String{}, Usagef("%s: there is no secret in it. Nothing was done.", flag)
	case strings.ContainsAny(line, "\r\n"):
		return secret.String{}, Usagef("%s: it must hold the secret alone, on one line. Nothing was done.", flag)
	case strings.HasPrefix(line, "{") && json.Valid([]byte(line)): // such as what --secret-to writes
		return secret.String{}, Usagef("%s: it holds a JSON object, and must hold the secret alone. Nothing was done.", flag)
	}
	return secret.New(line), nil
}

// ReadArgument is the value of a flag that takes text or, after an @, the name of a file with it:
// --metadata @file, or @- for stdin.
func (a *App) ReadArgument(flag, value string, limit int64) ([]byte, error) {
	name, ok := strings.CutPrefix(value, "@")
	if !ok {
		return []byte(value), nil
	}
	return a.ReadFile(flag, name, limit)
}

// ReadFile reads a file that a flag names; - is stdin, which only one flag can use.
func (a *App) ReadFile(flag, name string, limit int64) ([]byte, error) {
	var from io.Reader
	if name == "-" {
		if err := a.takeStdin(flag); err != nil {
			return nil, err
		}
		from = a.stdin()
	} else {
		file, err := os.Open(name) //nolint:gosec // the user names it
		if err != nil {
			return nil, fileError(flag, err)
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, limit+1))
	if errors.Is(err, context.Canceled) {
		return nil, Errorf(Interrupted, "%s: interrupted while it was read. Nothing was done.", flag)
	}
	if err != nil {
		return nil, fileError(flag, err)
	}
	if int64(len(data)) > limit {
		return nil, Usagef("%s: it has more than %d bytes. Nothing was done.", flag, limit)
	}
	return data, nil
}

// Stdin is stdin for a flag or argument that reads it as a stream.
func (a *App) Stdin(flag string) (io.Reader, error) {
	if err := a.takeStdin(flag); err != nil {
		return nil, err
	}
	return a.stdin(), nil
}

func (a *App) takeStdin(flag string) error {
	if a.stdinUsedBy != "" {
		return Usagef("%s: stdin is read by %s already: name a file. Nothing was done.", flag, a.stdinUsedBy)
	}
	a.stdinUsedBy = flag
	return nil
}

// fileError says which flag named a file that cannot be read.
func fileError(flag string, err error) error {
	class := Internal
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		class = Usage
	}
	return Errorf(class, "%s: %w. Nothing was done.", flag, err)
}
