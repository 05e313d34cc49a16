//go:build unix

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
)

const operate = "../../examples/operate/"

// parses fails a test unless stytchctl knows the command and its flags.
func parses(t *testing.T, args []string) {
	t.Helper()
	cmd, rest, err := command.New(cli.New()).Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil && cmd.Args != nil {
		err = cmd.Args(cmd, cmd.Flags().Args())
	}
	if err != nil || !cmd.Runnable() || cmd.HasSubCommands() {
		t.Errorf("stytchctl %s: %v", strings.Join(args, " "), err)
	}
}

// execStart is the command of the service.
func execStart(t *testing.T) []string {
	t.Helper()
	unit, err := os.ReadFile(operate + "systemd/stytchctl-rotate.service")
	if err != nil {
		t.Fatal(err)
	}
	_, line, found := strings.Cut(string(unit), "\nExecStart=/usr/local/bin/stytchctl ")
	line, _, _ = strings.Cut(line, "\n")
	if !found {
		t.Fatal("the service starts something else")
	}
	return strings.Fields(line)
}

// TestOperateService runs the command of the service against a local Stytch, twice: the second
// night has nothing to do.
func TestOperateService(t *testing.T) {
	t.Parallel()
	s := newSituation(t)
	update := stytch.M2MUpdate{Scopes: stytch.List("read:users", "rotate:monthly")}
	_, err := s.api.M2M.Update(t.Context(), runbookClient, update)
	s.check(err)
	for _, folder := range []string{"lib/credentials", "log"} {
		s.check(os.MkdirAll(filepath.Join(s.dir, folder), 0o700))
	}
	s.check(os.WriteFile(filepath.Join(s.dir, "project-secret"), []byte(s.server.Secret+"\n"), 0o600))
	s.check(os.Rename(s.env["STYTCHCTL_JOURNAL_KEY_FILE"], filepath.Join(s.dir, "journal-key")))
	delete(s.env, "STYTCH_PROJECT_SECRET")
	credentials := filepath.Join(s.dir, "lib/credentials")
	s.check(deliver.Folder(credentials).Deliver(t.Context(), rotate.Delivery{ClientID: runbookClient, Secret: s.held()}))
	here := strings.NewReplacer("%d", s.dir, "/var/lib/stytchctl", s.dir+"/lib", "/var/log/stytchctl", s.dir+"/log", "15m", "10ms")
	args := execStart(t)
	for i, arg := range args {
		args[i] = here.Replace(arg)
	}
	for _, want := range []string{`"outcome":"completed"`, `"outcome":"skipped"`} {
		if out, errs := s.ctl(0, args...); !strings.Contains(out, want) {
			t.Errorf("%s is not in %s%s", want, out, errs)
		}
	}
	held, err := deliver.Folder(credentials).Read(t.Context(), runbookClient)
	s.check(err)
	if accepted, err := s.api.M2M.Secrets.Probe(t.Context(), runbookClient, held.Secret); err != nil || !accepted {
		t.Errorf("the place holds no secret that works: %t, %v", accepted, err)
	}
}

// TestOperateUnits has systemd verify the units, where it is installed.
func TestOperateUnits(t *testing.T) {
	t.Parallel()
	parses(t, execStart(t))
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze: the units are only parsed")
	}
	dir := t.TempDir()
	for _, name := range []string{"stytchctl-rotate.service", "stytchctl-rotate.timer"} {
		unit, err := os.ReadFile(operate + "systemd/" + name)
		if err != nil {
			t.Fatal(err)
		}
		unit = bytes.ReplaceAll(unit, []byte("/usr/local/bin/stytchctl"), []byte("/bin/true")) // it has to exist
		if err := os.WriteFile(filepath.Join(dir, name), unit, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), tool, "verify", "--man=no",
		filepath.Join(dir, "stytchctl-rotate.service"), filepath.Join(dir, "stytchctl-rotate.timer")).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "stytchctl-rotate") { // and not what it says of other units of this machine
			t.Errorf("%v: %s", err, line)
		}
	}
}

// TestOperateCronJob reads the manifests strictly, and the command of the job as stytchctl does.
func TestOperateCronJob(t *testing.T) {
	t.Parallel()
	file, err := os.Open(operate + "kubernetes/rotate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	kinds := map[string]int{}
	for decoder := yaml.NewDecoder(file); ; {
		var object struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string `yaml:"kind"`
			Metadata   struct{ Name, Namespace string }
			Spec       struct {
				JobTemplate struct {
					Spec struct {
						Template struct {
							Spec struct {
								ServiceAccountName string `yaml:"serviceAccountName"`
								Containers         []struct{ Args []string }
							}
						}
					}
				} `yaml:"jobTemplate"`
			}
		}
		if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		kinds[object.Kind]++
		if object.APIVersion == "" || object.Metadata.Name != "stytchctl-rotate" || object.Metadata.Namespace != "billing" {
			t.Errorf("%+v belongs to something else", object)
		}
		if object.Kind == "CronJob" {
			pod := object.Spec.JobTemplate.Spec.Template.Spec
			if pod.ServiceAccountName != "stytchctl-rotate" || len(pod.Containers) != 1 {
				t.Fatalf("the pod is %+v", pod)
			}
			parses(t, pod.Containers[0].Args)
		}
	}
	if kinds["CronJob"] != 1 || kinds["ServiceAccount"] != 1 || kinds["Role"] != 1 || kinds["RoleBinding"] != 1 {
		t.Errorf("it has %v", kinds)
	}
}

// TestOperatePage knows every command of stytchctl on the page.
func TestOperatePage(t *testing.T) {
	page, err := os.ReadFile(operate + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for line := range strings.Lines(string(page)) {
		if args, ok := strings.CutPrefix(line, "stytchctl "); ok {
			args, _, _ = strings.Cut(args, " #")
			parses(t, strings.Fields(args))
			commands++
		}
	}
	if commands < 5 {
		t.Errorf("found %d commands", commands)
	}
}
