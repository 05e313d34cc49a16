package deliver

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/stytch/secret"
)

const maxToken = 64 << 10 // bytes of a token file

// TokenFile provides the token in a file, for [VaultConfig] and [KubernetesConfig]. The file is
// read for each request, so it may be replaced at any time. Spaces and line feeds around the token
// and a byte order mark are ignored.
// Symlinks are followed, because Kubernetes mounts tokens through them.
func TokenFile(path string) func(context.Context) (secret.String, error) {
	return func(context.Context) (secret.String, error) {
		info, err := os.Stat(path) // first: opening a pipe would block
		if err != nil {
			return secret.String{}, err
		}
		if !info.Mode().IsRegular() || info.Size() > maxToken {
			return secret.String{}, fmt.Errorf("deliver: token file %q must be a regular file of at most %d bytes", path, maxToken)
		}
		data, err := os.ReadFile(path) //nolint:gosec // the caller's file
		if err != nil {
			return secret.String{}, err
		}
		text := strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff"))
		if text, err = credentials.Text("the token", text); err != nil {
			return secret.String{}, fmt.Errorf("deliver: token file %q: %w", path, err)
		}
		return secret.New(text), nil
	}
}
