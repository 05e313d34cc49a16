package release

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// checkResolution downloads all modules as their users do, compares the checksums, and loads the
// packages of each in its clone: what it requires is there, and is what its go.sum says.
func (s *stage) checkResolution(ctx context.Context, user program) error {
	args := []string{"mod", "download", "-json"}
	for _, m := range s.modules {
		args = append(args, m.Path+"@"+s.version)
	}
	elsewhere := filepath.Join(user.dir, "elsewhere")     // outside of any module
	if err := os.MkdirAll(elsewhere, 0o755); err != nil { //nolint:gosec // public files
		return err
	}
	out, err := user.in("elsewhere").run(ctx, "go", args...)
	if err != nil {
		return err
	}
	found := 0
	for decoder := json.NewDecoder(strings.NewReader(out)); ; found++ {
		var got struct{ Path, Sum, GoModSum string }
		if err := decoder.Decode(&got); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("release: go mod download: %w", err)
		}
		if want := s.sums[got.Path]; got.Sum != want.zip || got.GoModSum != want.goMod {
			return fmt.Errorf("release: %s: a download has the checksums %s and %s, want %s and %s", got.Path, got.Sum, got.GoModSum, want.zip, want.goMod)
		}
	}
	if found != len(s.modules) {
		return fmt.Errorf("release: go mod download: %d modules were downloaded, want %d", found, len(s.modules))
	}
	for _, m := range s.modules {
		if _, err := (program{filepath.Join(s.clone.dir, m.Dir), user.env}).run(ctx, "go", "list", "-mod=readonly", "-deps", "./..."); err != nil {
			return fmt.Errorf("%w (in %s)", err, m.Path)
		}
	}
	return nil
}
