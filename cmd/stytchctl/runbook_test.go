//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command"
	"github.com/stytchkit/m2m/internal/redact"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A runbookSection is a stop in docs/runbook.md: the blocks of commands to look, and those to fix.
type runbookSection struct {
	stop  string
	look  []string
	fixes [][]string
}

var exitNote = regexp.MustCompile(`# exit (\d+)`)

// readRunbook reads the sections of the page that have commands.
func readRunbook(t *testing.T) (sections []runbookSection) {
	t.Helper()
	page, err := os.ReadFile("../../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	var block []string
	inBlock := false
	for line := range strings.SplitSeq(string(page), "\n") {
		name, isHead := strings.CutPrefix(line, "## ")
		switch {
		case isHead:
			sections = append(sections, runbookSection{stop: name})
		case line == "```sh":
			inBlock, block = true, nil
		case line == "```" && inBlock:
			inBlock = false
			last := &sections[len(sections)-1]
			if last.look == nil {
				last.look = block
			} else {
				last.fixes = append(last.fixes, block)
			}
		case inBlock:
			block = append(block, line)
		}
	}
	return sections
}

// TestRunbook brings about each stop, and runs every command of its section: those to look, and
// each way to fix in a situation of its own. The page has no other section.
func TestRunbook(t *testing.T) {
	staged := map[string]bool{}
	for _, section := range readRunbook(t) {
		stage := stages[section.stop]
		if stage == nil || section.look == nil {
			t.Errorf("%s: there is no situation for it, or no command to look", section.stop)
			continue
		}
		staged[section.stop] = true
		for i := range max(1, len(section.fixes)) {
			t.Run(fmt.Sprintf("%s %d", section.stop, i+1), func(t *testing.T) {
				t.Parallel()
				s := newSituation(t)
				repair := stage(s, i)
				s.runBlock(section.look)
				if repair != nil {
					repair()
				}
				if i < len(section.fixes) {
					s.runBlock(section.fixes[i])
					s.isFixed(section.stop, i)
				}
			})
		}
	}
	for stop := range stages {
		if !staged[stop] {
			t.Errorf("the page has no section %q", stop)
		}
	}
}

// A situation is a project with one client, its place, and a journal.
type situation struct {
	*testing.T
	dir      string
	server   *emulator.Server
	api      *stytch.Client
	env      map[string]string
	canaries []string
}

const runbookClient = "worker"

func newSituation(t *testing.T) *situation {
	first := secret.Generate()
	server, err := emulator.Start(emulator.WithM2MClient(emulator.M2MClientSeed{
		ClientID: runbookClient, Secret: first.Reveal(), Scopes: []string{"read:users"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	api, err := stytch.New(server.ProjectID, server.Secret, stytch.WithBaseURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	s := &situation{T: t, dir: t.TempDir(), server: server, api: api, canaries: []string{strings.TrimPrefix(server.Secret, "secret-test-"), first.Reveal()}}
	at := func(name string) string { return filepath.Join(s.dir, name) }
	s.env = map[string]string{
		"STYTCH_PROJECT_ID": server.ProjectID, "STYTCH_PROJECT_SECRET": server.Secret, "STYTCH_BASE_URL": server.URL,
		"STYTCHCTL_JOURNAL": at("journal"), "STYTCHCTL_JOURNAL_KEY_FILE": at("key"), "OLD_KEY": at("old-key"),
		"ID": runbookClient, "PLACE": "file:" + at("places/worker.json"), "FILE": at("file"), "AUDIT": at("audit.ndjson"),
		"XDG_CONFIG_HOME": at("config"),
	}
	s.check(os.Mkdir(at("places"), 0o700))
	s.check(os.WriteFile(at("key"), []byte(secret.Generate().Reveal()+"\n"), 0o600))
	s.place(first)
	return s
}

func (s *situation) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *situation) path(variable string) string { return strings.TrimPrefix(s.env[variable], "file:") }

// place puts a secret into the place of the service.
func (s *situation) place(value secret.String) {
	s.Helper()
	path := s.path("PLACE")
	_ = os.Remove(path)
	s.check(deliver.File(path).Deliver(s.Context(), rotate.Delivery{ClientID: runbookClient, Secret: value}))
}

func (s *situation) held() secret.String {
	s.Helper()
	d, err := deliver.File(s.path("PLACE")).Read(s.Context(), runbookClient)
	s.check(err)
	return d.Secret
}

// ctl runs a command in this process, and returns what it prints.
func (s *situation) ctl(want int, args ...string) (stdout, stderr string) {
	s.Helper()
	var out, errs bytes.Buffer
	app := cli.New()
	app.In, app.Out, app.Err = strings.NewReader(""), &out, &errs
	app.Getenv = func(name string) string { return s.env[name] }
	if got := command.Run(s.Context(), app, args); got != want {
		s.Fatalf("stytchctl %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.String(), errs.String())
	}
	if redact.New(s.canaries...).Found(out.String() + errs.String()) {
		s.Errorf("stytchctl %s shows a secret:\n%s%s", strings.Join(args, " "), out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// stops runs a command that ends with a stop, which the error names to programs.
func (s *situation) stops(stop string, want int, args ...string) {
	s.Helper()
	_, stderr := s.ctl(want, append(args, "-o", "json")...)
	for line := range strings.Lines(stderr) {
		var report struct {
			Error struct{ Type string }
		}
		if json.Unmarshal([]byte(line), &report) == nil && report.Error.Type == stop {
			return
		}
	}
	s.Fatalf("stytchctl %s did not stop with %s:\n%s", strings.Join(args, " "), stop, stderr)
}

// runBlock runs a block of commands, each with the exit code that its comment has.
func (s *situation) runBlock(lines []string) {
	s.Helper()
	for _, line := range lines {
		want := 0
		if note := exitNote.FindStringSubmatch(line); note != nil {
			want, _ = strconv.Atoi(note[1])
		}
		text, _, _ := strings.Cut(line, " #")
		words := strings.Fields(text)
		for i, word := range words {
			words[i] = os.Expand(strings.Trim(word, `"`), func(name string) string {
				if s.env[name] == "" {
					s.Fatalf("%s: the variable %s is not one of those that the page names", line, name)
				}
				return s.env[name]
			})
		}
		if words[0] == "stytchctl" {
			s.ctl(want, words[1:]...)
		} else if out, err := exec.CommandContext(s.Context(), words[0], words[1:]...).CombinedOutput(); err != nil {
			s.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
}

// isFixed checks that what is left is a client whose place holds a secret that works, and nothing
// in progress.
func (s *situation) isFixed(stop string, fix int) {
	s.Helper()
	if stop == "compromised" && fix == 1 { // the client was deleted
		return
	}
	out, _ := s.ctl(0, "rotate", "list", "-o", "ndjson")
	if stop != "other_project" && out != "" { // whose fix only looks
		s.Errorf("something is still in progress: %s", out)
	}
	if accepted, err := s.api.M2M.Secrets.Probe(s.Context(), runbookClient, s.held()); err != nil || !accepted {
		s.Errorf("the place holds no secret that works: %t, %v", accepted, err)
	}
}

// start begins a rotation that stops when the place has the next secret, in state started.
func (s *situation) start() {
	s.Helper()
	s.stops("delivery", 6, "rotate", "run", runbookClient, "--deliver", s.env["PLACE"], "--deliver", "exec:false")
	d, err := deliver.File(s.path("PLACE")).Read(s.Context(), runbookClient)
	s.check(err)
	s.canaries = append(s.canaries, d.Secret.Reveal())
}

// run runs rotate run, or another command, of the client.
func (s *situation) run(verb string, flags ...string) []string {
	return append([]string{"rotate", verb, runbookClient, "--deliver", s.env["PLACE"]}, flags...)
}
