package profile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/secret"
)

const maxSecret = 4 << 10 // of a project: at most 1024 bytes

// fileStore keeps each secret in a file of a private folder.
type fileStore struct{ folder string }

// path has the project in it, so that a secret never belongs to the project that a profile had
// before.
func (f fileStore) path(p Profile) string { return filepath.Join(f.folder, p.Name+"@"+p.ProjectID) }

func (f fileStore) get(_ context.Context, p Profile) (found secret.String, err error) {
	text, err := atomicfile.Read(f.path(p), maxSecret)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return found, fmt.Errorf("%w in %s", errNoSecret, f.path(p))
	case errors.Is(err, fs.ErrPermission):
		return found, cli.Errorf(cli.Auth, "%w: run chmod 600 %s, and replace the secret if someone else may have read it", err, f.path(p))
	case err != nil:
		return found, err
	}
	return secret.New(strings.TrimSuffix(string(text), "\n")), nil
}

func (f fileStore) put(_ context.Context, p Profile, s secret.String) error {
	if err := atomicfile.Dir(f.folder); err != nil {
		return fmt.Errorf("the folder for secrets: %w", err)
	}
	return atomicfile.Write(f.path(p), []byte(s.Reveal()+"\n"), 0o600)
}

func (f fileStore) remove(_ context.Context, p Profile) error {
	if err := os.Remove(f.path(p)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
