package release

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Platforms are those for which the command is built, as GOOS/GOARCH.
var Platforms = []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64"}

// buildFlags are those of "make install". Anyone who installs a version with them and the same Go
// has the same bytes as the release.
const buildFlags = "-trimpath -ldflags=-s -w"

// buildBinaries builds the command from the published module for each platform, in two folders that
// share neither sources nor a build cache, and puts the binaries into dist if they are equal.
func (s *stage) buildBinaries(ctx context.Context, first, second program, platforms []string, dist string) (names []string, err error) {
	second = second.with("GOCACHE=" + filepath.Join(second.dir, "build"))
	for _, platform := range platforms {
		goos, goarch, _ := strings.Cut(platform, "/")
		built, err := s.install(ctx, first, goos, goarch)
		if err != nil {
			return nil, err
		}
		again, err := s.install(ctx, second, goos, goarch)
		if err != nil {
			return nil, err
		}
		sum, err := sha256Of(built)
		if err != nil {
			return nil, err
		}
		other, err := sha256Of(again)
		if err != nil {
			return nil, err
		}
		if sum != other {
			return nil, fmt.Errorf("release: %s: two builds have the SHA-256 %s and %s: compare them with \"go version -m\"", platform, sum, other)
		}
		if err := s.checkBuild(ctx, built, goos, goarch); err != nil {
			return nil, err
		}
		name := fmt.Sprintf("stytchctl_%s_%s_%s%s", strings.TrimPrefix(s.version, "v"), goos, goarch, filepath.Ext(built))
		data, err := os.ReadFile(built) //nolint:gosec // just built
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dist, name), data, 0o755); err != nil { //nolint:gosec // a program
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// install is "go install" of the command at its version, and returns the file.
func (s *stage) install(ctx context.Context, user program, goos, goarch string) (string, error) {
	builder := user.with("GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off")
	trimpath, ldflags, _ := strings.Cut(buildFlags, " ")
	if _, err := builder.run(ctx, "go", "install", trimpath, ldflags, command+"@"+s.version); err != nil {
		return "", err
	}
	file := filepath.Join(user.dir, "go", "bin")
	if goos != runtime.GOOS || goarch != runtime.GOARCH {
		file = filepath.Join(file, goos+"_"+goarch)
	}
	file = filepath.Join(file, "stytchctl")
	if goos == "windows" {
		file += ".exe"
	}
	return file, nil
}

// checkBuild wants a binary to be what its name says, and to say so itself where it runs here.
func (s *stage) checkBuild(ctx context.Context, file, goos, goarch string) error {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return err
	}
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	for key, want := range map[string]string{"GOOS": goos, "GOARCH": goarch, "CGO_ENABLED": "0", "-trimpath": "true"} {
		if settings[key] != want {
			return fmt.Errorf("release: %s/%s: the binary was built with %s=%q, want %q", goos, goarch, key, settings[key], want)
		}
	}
	if main := info.Main; main.Path != command || main.Version != s.version || main.Sum != s.sums[command].zip {
		return fmt.Errorf("release: %s/%s: the binary is of %s %s %s, want %s %s %s", goos, goarch, main.Path, main.Version, main.Sum, command, s.version, s.sums[command].zip)
	}
	if goos != runtime.GOOS || goarch != runtime.GOARCH {
		return nil
	}
	out, err := program{dir: filepath.Dir(file)}.run(ctx, file, "version", "-o", "json")
	if err != nil {
		return err
	}
	var got struct{ Version string }
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		return fmt.Errorf("release: stytchctl version: it prints %q: %w", out, err)
	}
	if "v"+got.Version != s.version {
		return fmt.Errorf("release: stytchctl version: it reports %s, want %s", got.Version, s.version)
	}
	return nil
}

// writeSums writes the SHA-256 of the files of a folder, but not of those in folders below, in the
// form that "sha256sum -c" reads.
func writeSums(dist string) error {
	entries, err := os.ReadDir(dist) // in the order of their names
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		sum, err := sha256Of(filepath.Join(dist, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s  %s\n", sum, entry.Name())
	}
	return write(filepath.Join(dist, "SHA256SUMS"), text.String())
}

func sha256Of(name string) (string, error) {
	file, err := os.Open(name) //nolint:gosec // a file of the release
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
