//go:build unix

package token_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stytchkit/m2m/stytch/token"
)

func TestFileOfEveryone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(path, []byte("id\nthe-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, refused := range map[os.FileMode]bool{0o600: false, 0o644: false, 0o666: true, 0o602: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := token.File(path).Credential(t.Context()); (err != nil) != refused {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}
