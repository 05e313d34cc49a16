package fleet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// writes keeps each Write apart, and finds out whether two come at once.
type writes struct {
	mu    sync.Mutex
	lines []string
	err   error
	after int // so many lines
	short bool
}

func (w *writes) Write(p []byte) (int, error) {
	if !w.mu.TryLock() {
		panic("two Writes at once")
	}
	defer w.mu.Unlock()
	if w.err != nil && len(w.lines) >= w.after {
		return 0, w.err
	}
	if w.short {
		return len(p) - 1, nil
	}
	w.lines = append(w.lines, string(p))
	return len(p), nil
}

type auditLine struct {
	Time       time.Time
	ClientID   string `json:"client_id"`
	RotationID string `json:"rotation_id"`
	From, To   rotate.State
	Current    string
	Next       string
	Error      string
}

func auditLines(t *testing.T, w *writes) (lines []auditLine) {
	t.Helper()
	for _, text := range w.lines {
		var line auditLine
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&line); err != nil || !strings.HasSuffix(text, "}\n") || strings.Count(text, "\n") != 1 {
			t.Fatalf("a Write that is not one line of JSON: %q, %v", text, err)
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
		log, own := &writes{}, &writes{}
		r := p.rotator(t, j, rotate.WithObserver(rotate.Audit(own)))
		report, err := newFleet(t, r, fleet.WithAudit(log)).Run(t.Context(), each(names(10)))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 9, Failed: 1})
		lines := auditLines(t, log)
		steps, failures := map[string][]string{}, 0
		for _, line := range lines {
			if strings.Contains(line.Error, "canary-") {
				t.Fatal("a secret is in the audit log")
			}
			if line.Time.Location() != time.UTC || line.RotationID == "" {
				t.Errorf("line %+v", line)
			}
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
		slices.Sort(own.lines) // the two see the clients in another order
		slices.Sort(log.lines)
		if !slices.Equal(own.lines, log.lines) {
			t.Error("the rotator's own observer saw something else")
		}
		// The fleet's log is for the fleet alone.
		if err := r.Run(t.Context(), "another"); err != nil || len(log.lines) != len(lines) {
			t.Errorf("another run: %v, %d lines more", err, len(log.lines)-len(lines))
		}
	})
}

// TestFleetAuditFailures checks that failures to claim a client are in the log too.
func TestFleetAuditFailures(t *testing.T) {
	p, j, log := newServer(), newMemory(), &writes{}
	held, err := j.Claim(t.Context(), "busy", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	f := newFleet(t, p.rotator(t, j), fleet.WithConcurrency(1), fleet.WithAudit(log))
	if _, err := f.Run(t.Context(), each([]string{"busy", ""})); err != nil {
		t.Fatal(err)
	}
	if err := held.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := auditLines(t, log)
	slices.SortFunc(lines, func(a, b auditLine) int { return strings.Compare(b.ClientID, a.ClientID) })
	if len(lines) != 2 || lines[0].ClientID != "busy" || !strings.Contains(lines[0].Error, rotate.ErrBusy.Error()[len("rotate: "):]) || !strings.Contains(lines[1].Error, "empty") {
		t.Errorf("lines %+v", lines)
	}
}

// TestFleetAuditBroken checks that a fleet stops if its log cannot be written.
func TestFleetAuditBroken(t *testing.T) {
	for name, log := range map[string]*writes{
		"error": {err: errors.New("no space left"), after: 40},
		"short": {short: true},
	} {
		t.Run(name, func(t *testing.T) {
			eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, _ *memory) {
				log := &writes{err: log.err, after: log.after, short: log.short}
				p.hook = func(string, string) error { time.Sleep(time.Millisecond); return nil }
				ids := names(100)
				r := p.rotator(t, j)
				f := newFleet(t, r, fleet.WithAudit(log))
				report, err := f.Run(t.Context(), each(ids))
				if err == nil || !strings.Contains(err.Error(), "write the audit log") || log.err != nil && !errors.Is(err, log.err) {
					t.Errorf("Run: %v", err)
				}
				if report.Done > 20 || report.Failed != 0 {
					t.Errorf("it went on: %+v", report)
				}
				f = newFleet(t, r, fleet.WithOlderThan(time.Hour), fleet.WithAudit(&bytes.Buffer{}))
				if _, err := f.Run(t.Context(), each(ids)); err != nil {
					t.Error(err)
				}
				p.once(t, ids)
			})
		})
	}
}
