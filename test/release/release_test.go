package release

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
)

// maxModules is how many modules of others a program compiles that uses all of the SDK.
const maxModules = 5

// TestRelease prepares a release of this repository, as it is on the disk, and uses its modules
// from there: the command is installed as its users install it, and a program of another module
// uses the SDK.
func TestRelease(t *testing.T) {
	heavy.Only(t)
	version := fmt.Sprintf("v0.0.0-check.%d", time.Now().UnixNano()) // one that no module cache has
	dist := filepath.Join(t.TempDir(), "dist")
	var log bytes.Buffer
	repository := copied(t)
	before := stateOf(t, repository, "refs")
	if err := Prepare(t.Context(), Options{Repository: repository.dir, Version: version, Dist: dist, Log: &log}); err != nil {
		t.Fatal(err)
	}
	t.Log(log.String())
	if after := stateOf(t, repository, "refs"); after != before {
		t.Errorf("a dry run changed\n%s\nto\n%s", before, after)
	}
	if want := "make release VERSION=" + version + " RELEASE=tag"; !strings.Contains(log.String(), want) {
		t.Errorf("it does not say what to do next: %s", want)
	}
	modules, err := modulesOf(t.Context(), program{dir: "../.."})
	if err != nil {
		t.Fatal(err)
	}
	goCommand := user(t, filepath.Join(dist, "modules"), version)

	t.Run("install", func(t *testing.T) {
		bin := t.TempDir()
		goCommand(t, t.TempDir(), "GOBIN="+bin).run("install", command+"@"+version)
		name := filepath.Join(bin, "stytchctl")
		if runtime.GOOS == "windows" {
			name += ".exe"
		}
		out, err := exec.Command(name, "version", "-o", "json").CombinedOutput()
		if err != nil || !strings.Contains(string(out), version[1:]) {
			t.Errorf("stytchctl version: %v: %s, want %s in it", err, out, version)
		}
	})

	t.Run("use", func(t *testing.T) {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "go.mod"), "module example.com/user\n\ngo 1.25.0\n\nrequire github.com/stytchkit/m2m "+version+"\n")
		writeFile(t, filepath.Join(dir, "main.go"), useAll)
		cmd := goCommand(t, dir)
		cmd.run("mod", "tidy")
		cmd.run("vet", ".")
		used := strings.Fields(cmd.run("list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", "."))
		slices.Sort(used)
		used = slices.DeleteFunc(slices.Compact(used), func(module string) bool { return module == path })
		if len(used) > maxModules {
			t.Errorf("a program that uses the SDK compiles %d modules of others, want at most %d: %v", len(used), maxModules, used)
		}
		t.Logf("modules of others: %v", used)
	})

	for _, m := range modules {
		if !m.isPublished() {
			continue
		}
		t.Run("require "+strings.TrimPrefix(m.Path, "github.com/stytchkit/"), func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "go.mod"), "module example.com/user\n\ngo 1.25.0\n")
			goCommand(t, dir).run("get", m.Path+"@"+version)
		})
	}
}

// copied is a repository with the files of this one as they are on the disk, and something that is
// unreleased.
func copied(t *testing.T) program {
	t.Helper()
	files := map[string]string{}
	for name := range strings.SplitSeq(mustRun(t, program{dir: "../.."}, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00") {
		data, err := os.ReadFile(filepath.Join("../..", name))
		if name == "" || errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(data)
	}
	files[changelogFile] = strings.Replace(files[changelogFile], unreleased, unreleased+"\n- Check a release.\n", 1)
	return newRepository(t, files)
}

const useAll = `package main

import (
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

func main() {
	_, _ = stytch.FromEnv()
	_, _ = emulator.Start()
	_, _ = token.New("", token.Env())
	_, _ = verify.New("")
	_, _ = filejournal.New("", "")
	_, _ = rotate.New(nil, deliver.File(""), nil)
	_, _ = fleet.New(nil)
}
`

// user returns the go command of a user who has nothing of this repository but what is published.
// Everything else comes from the module cache or the usual proxies.
func user(t *testing.T, proxy, version string) func(t *testing.T, dir string, env ...string) goCommand {
	variables := strings.Split(strings.TrimSpace(goCommand{t, ".", nil}.run("env", "GOPROXY", "GOMODCACHE")), "\n")
	usual, cache := strings.TrimSpace(variables[0]), strings.TrimSpace(variables[1])
	t.Cleanup(func() { forget(t, cache, version) })
	return func(t *testing.T, dir string, env ...string) goCommand {
		return goCommand{t, dir, append([]string{"GOPROXY=file://" + filepath.ToSlash(proxy) + "," + usual, "GONOSUMDB=github.com/stytchkit/*",
			"GOWORK=off", "GOFLAGS=-modcacherw"}, env...)}
	}
}

// forget removes the modules of this test from the module cache.
func forget(t *testing.T, cache, version string) {
	for _, pattern := range []string{"m2m@%s", "m2m/*@%s", "m2m/*/*@%s"} {
		dirs, _ := filepath.Glob(filepath.Join(cache, "github.com/stytchkit", fmt.Sprintf(pattern, version)))
		for _, dir := range dirs {
			if err := os.RemoveAll(dir); err != nil {
				t.Error(err)
			}
		}
	}
	for _, pattern := range []string{"m2m", "m2m/*", "m2m/*/*"} {
		files, _ := filepath.Glob(filepath.Join(cache, "cache/download/github.com/stytchkit", pattern, "@v", version+".*"))
		for _, file := range files {
			if err := os.Remove(file); err != nil {
				t.Error(err)
			}
		}
	}
}

type goCommand struct {
	t   *testing.T
	dir string
	env []string
}

func (c goCommand) run(args ...string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), "go", args...)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), c.env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("go %s: %v: %s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
