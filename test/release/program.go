package release

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A program runs commands in a folder, with variables beyond those of this process.
type program struct {
	dir string
	env []string
}

func (p program) run(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // commands of this package
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), p.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stderr.String() + stdout.String())
		return "", fmt.Errorf("release: %s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, said)
	}
	return strings.TrimSpace(stdout.String()), nil
}

func (p program) lines(ctx context.Context, name string, args ...string) ([]string, error) {
	out, err := p.run(ctx, name, args...)
	return strings.FieldsFunc(out, func(r rune) bool { return r == '\n' }), err
}

func (p program) in(dir string) program {
	return program{filepath.Join(p.dir, dir), p.env}
}

func (p program) with(env ...string) program {
	return program{p.dir, slices.Concat(p.env, env)}
}

// goUser returns the go command of a user who has nothing of this repository but what is published
// in folders. All it downloads stays below home: a version that is not published yet must not reach
// the module cache of this machine, where its checksum would stay. Modules of others come from that
// cache, or else from the usual proxies.
func goUser(ctx context.Context, home string, proxies ...string) (program, error) {
	usual, err := program{dir: home}.lines(ctx, "go", "env", "GOMODCACHE", "GOPROXY")
	if err != nil {
		return program{}, err
	}
	var all []string
	for _, dir := range append(proxies, filepath.Join(usual[0], "cache", "download")) {
		all = append(all, "file://"+filepath.ToSlash(dir))
	}
	return program{home, []string{
		"GOPROXY=" + strings.Join(append(all, usual[1:]...), ","),
		"GOMODCACHE=" + filepath.Join(home, "modules"),
		"GOPATH=" + filepath.Join(home, "go"), "GOBIN=", "GOWORK=off", "GOFLAGS=-modcacherw",
		"GOSUMDB=off", // the modules of others are held against go.sum, see checkResolution
	}}, nil
}
