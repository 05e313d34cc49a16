//go:build unix

package fleet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/audit"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

type auditLine struct {
	ClientID   string `json:"client_id"`
	RotationID string `json:"rotation_id"`
	From, To   rotate.State
	Current    string
	Next       string
	Error      string
	Replayed   bool
}

func auditLog(t *testing.T, path string, j rotate.Journal) *audit.Log {
	t.Helper()
	log, err := audit.Open(t.Context(), path, j)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// auditLines verifies a log and returns its lines.
func auditLines(t *testing.T, path string) (lines []auditLine) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Verify(bytes.NewReader(data)); err != nil {
		t.Error(err)
	}
	for text := range strings.Lines(string(data)) {
		var line auditLine
		if err := json.Unmarshal([]byte(text), &line); err != nil || strings.Contains(text, "canary-") {
			t.Fatalf("not a line, or one with a secret: %v", err)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestFleetAudit(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, _ *memory) {
		p.hook = func(what, id string) error {
			if what == "deliver" && id == "client-00007" {
				p.mu.Lock()
				defer p.mu.Unlock()
				return fmt.Errorf("the place said: %s is <no good>\n\xff", p.clients[id].next)
			}
			return nil
		}
		path := filepath.Join(t.TempDir(), "log")
		r := p.rotator(t, j)
		report, err := newFleet(t, r, fleet.WithAudit(auditLog(t, path, j))).Run(t.Context(), each(names(10)))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 9, Failed: 1})
		lines := auditLines(t, path)
		steps, failures := map[string][]string{}, 0
		for _, line := range lines {
			if line.Error != "" {
				failures++
				if line.ClientID != "client-00007" || line.From != rotate.Started || line.To != rotate.Started || !strings.Contains(line.Error, "<no good>") {
					t.Errorf("failure %+v", line)
				}
				continue
			}
			steps[line.ClientID] = append(steps[line.ClientID], fmt.Sprintf("%s-%s %s %s", line.From, line.To, line.Current, line.Next))
		}
		want := "[planned-starting works unproved starting-started works unproved started-delivered works works " +
			"delivered-verified works works verified-completing works works completing-completed refused works]"
		for id, got := range steps {
			if id != "client-00007" && fmt.Sprint(got) != want {
				t.Errorf("%s: %v, want %v", id, got, want)
			}
		}
		if failures == 0 || len(steps) != 10 {
			t.Errorf("%d failures, %d clients in the log", failures, len(steps))
		}
		// The fleet's log is for the fleet alone.
		if err := r.Run(t.Context(), "another"); err != nil || len(auditLines(t, path)) != len(lines) {
			t.Errorf("another run: %v, or it is in the log", err)
		}
	})
}

// TestFleetAuditFailures checks that failures to claim a client are in the log too.
func TestFleetAuditFailures(t *testing.T) {
	p, j, path := newServer(), newMemory(), filepath.Join(t.TempDir(), "log")
	held, err := j.Claim(t.Context(), "busy", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	f := newFleet(t, p.rotator(t, j), fleet.WithConcurrency(1), fleet.WithAudit(auditLog(t, path, j)))
	if _, err := f.Run(t.Context(), each([]string{"busy", ""})); err != nil {
		t.Fatal(err)
	}
	if err := held.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := auditLines(t, path)
	slices.SortFunc(lines, func(a, b auditLine) int { return strings.Compare(b.ClientID, a.ClientID) })
	if len(lines) != 2 || lines[0].ClientID != "busy" || !strings.Contains(lines[0].Error, rotate.ErrBusy.Error()[len("rotate: "):]) || !strings.Contains(lines[1].Error, "empty") {
		t.Errorf("lines %+v", lines)
	}
}

// TestFleetAuditBroken checks that a fleet stops if its log cannot be written.
func TestFleetAuditBroken(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, _ *memory) {
		path := filepath.Join(t.TempDir(), "log")
		log := auditLog(t, path, j)
		n := 0
		p.hook = func(string, string) error {
			time.Sleep(time.Millisecond)
			p.mu.Lock()
			defer p.mu.Unlock()
			if n++; n == 60 {
				return log.Close()
			}
			return nil
		}
		ids := names(24)
		r := p.rotator(t, j)
		report, err := newFleet(t, r, fleet.WithAudit(log)).Run(t.Context(), each(ids))
		if !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), "write the audit log") {
			t.Errorf("Run: %v", err)
		}
		if report.Done > 20 || report.Failed != 0 {
			t.Errorf("it went on: %+v", report)
		}
		again := newFleet(t, r, fleet.WithOlderThan(time.Hour), fleet.WithAudit(auditLog(t, path, j)))
		if _, err := again.Run(t.Context(), each(ids)); err != nil {
			t.Error(err)
		}
		p.once(t, ids)
		completed := map[string]int{}
		for _, line := range auditLines(t, path) {
			if line.To == rotate.Completed && line.From != line.To {
				completed[line.ClientID]++
			}
		}
		for _, id := range ids {
			if completed[id] != 1 {
				t.Errorf("%s was completed in %d lines", id, completed[id])
			}
		}
	})
}

// A process is killed between the last write of the journal and the line about it. The next one
// writes the line.
func TestFleetAuditKilled(t *testing.T) {
	const variable = "FLEET_AUDIT_CHILD"
	if dir := os.Getenv(variable); dir != "" {
		p, j := newServer(), fileJournal(t, filepath.Join(dir, "journal"))
		kill := rotate.WithObserver(func(_ context.Context, e rotate.Event) {
			if e.To == rotate.Completed {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		})
		f := newFleet(t, p.rotator(t, j, kill), fleet.WithAudit(auditLog(t, filepath.Join(dir, "log"), j)))
		_, err := f.Run(t.Context(), each([]string{"a"}))
		t.Fatalf("it survived: %v", err)
	}
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFleetAuditKilled$") //nolint:gosec // this program
	child.Env = append(os.Environ(), variable+"="+dir)
	var exited *exec.ExitError
	if output, err := child.CombinedOutput(); !errors.As(err, &exited) || exited.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed: %v, %s", err, output)
	}
	j, path := fileJournal(t, filepath.Join(dir, "journal")), filepath.Join(dir, "log")
	if status, err := j.Read(t.Context(), "a"); err != nil || status.State != rotate.Completed {
		t.Fatalf("the journal has %s, %v", status.State, err)
	}
	if lines := auditLines(t, path); lines[len(lines)-1].To != rotate.Completing {
		t.Fatalf("the last line is %+v", lines[len(lines)-1])
	}
	for range 2 {
		auditLog(t, path, j)
	}
	lines := auditLines(t, path)
	if last := lines[len(lines)-1]; last.From != rotate.Completing || last.To != rotate.Completed || !last.Replayed || len(lines) != 6 {
		t.Errorf("%d lines, the last is %+v", len(lines), last)
	}
}
