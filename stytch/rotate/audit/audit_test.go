//go:build unix

package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/audit"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// newJournal has the records of some rotations.
func newJournal(t testing.TB, records ...rotate.Record) rotate.Journal {
	t.Helper()
	j, err := filejournal.New(filepath.Join(t.TempDir(), "journal"), "project-test-1")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		store(t, j, r)
	}
	return j
}

func store(t testing.TB, j rotate.Journal, r rotate.Record) {
	t.Helper()
	c, err := j.Claim(t.Context(), r.ClientID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Write(t.Context(), r), c.Release(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, path string, j rotate.Journal, options ...audit.Option) *audit.Log {
	t.Helper()
	l, err := audit.Open(t.Context(), path, j, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func event(client string, from, to rotate.State) rotate.Event {
	return rotate.Event{
		Time: time.Date(2026, 3, 1, 10, 0, 0, 5, time.UTC), ClientID: client, RotationID: "of-" + client, From: from, To: to,
		Working: rotate.Working{Current: rotate.Accepted},
	}
}

func lines(t testing.TB, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(string(data), "\n"), "\n")
}

func verify(t testing.TB, path string) (audit.Summary, error) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return audit.Verify(bytes.NewReader(data))
}

func TestLog(t *testing.T) {
	path, j := filepath.Join(t.TempDir(), "log"), newJournal(t)
	first := open(t, path, j, audit.WithActor("job <1>"))
	first.Observe(t.Context(), event("a", rotate.Planned, rotate.Starting))
	second := open(t, path, newJournal(t, rotate.Record{RotationID: "of-a", ClientID: "a", State: rotate.Starting}))
	failed := event("a", rotate.Starting, rotate.Starting)
	failed.Err = errors.New("x\xff" + strings.Repeat("\u00fc\u2028", 5000))
	second.Observe(t.Context(), failed)
	first.Observe(t.Context(), event("a", rotate.Starting, rotate.Canceled))
	if err := errors.Join(first.Err(), second.Err()); err != nil {
		t.Fatal(err)
	}
	host, _ := os.Hostname()
	want := fmt.Sprintf(`{"seq":1,"time":"2026-03-01T10:00:00.000000005Z","host":%q,"pid":%d,"actor":"job <1>","client_id":"a","rotation_id":"of-a",`+
		`"from":"planned","to":"starting","current":"works","next":"unproved","previous":""}`+"\n", host, os.Getpid())
	got := lines(t, path)
	if len(got) != 3 || got[0] != want {
		t.Errorf("%d lines, the first is %s, want %s", len(got), got[0], want)
	}
	if strings.Contains(got[1], "actor") || len(got[1]) > 16<<10 || strings.ContainsRune(got[1], 0xfffd) {
		t.Errorf("the second line is of %d bytes: %.200s", len(got[1]), got[1])
	}
	if s, err := verify(t, path); err != nil || s.Lines != 3 || len(s.Last) != 64 {
		t.Errorf("Verify: %+v, %v", s, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// What a crash left out is added from the journal, once.
func TestReplay(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 7, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "log")
	j := newJournal(t)
	l := open(t, path, j)
	for _, client := range []string{"completed", "same", "later", "lost", "ended"} {
		l.Observe(t.Context(), event(client, rotate.Verified, rotate.Completing))
	}
	l.Observe(t.Context(), event("ended", rotate.Completing, rotate.Completed))
	failed := event("never", rotate.Planned, rotate.Planned) // is not in the journal
	failed.Err = errors.New("refused")
	l.Observe(t.Context(), failed)
	store(t, j, rotate.Record{RotationID: "of-completed", ClientID: "completed", State: rotate.Completed, UpdatedAt: at})
	store(t, j, rotate.Record{RotationID: "another", ClientID: "later", State: rotate.Planned})
	next := rotate.Record{RotationID: "of-same", ClientID: "same", State: rotate.Completing}
	next.Next = secret.New("next")
	store(t, j, next)

	for range 2 { // the second time nothing is missing
		open(t, path, j)
	}
	added := lines(t, path)[7:]
	want := []string{
		`"client_id":"completed","rotation_id":"of-completed","from":"completing","to":"completed","replayed":true`,
		`"client_id":"later","rotation_id":"of-later","from":"completing","to":"unknown","error":"the journal has no record of this rotation any more","replayed":true`,
		`"client_id":"lost","rotation_id":"of-lost","from":"completing","to":"unknown",`,
	}
	if len(added) != len(want) {
		t.Fatalf("%d lines were added, want %d: %s", len(added), len(want), added)
	}
	for i, part := range want {
		if !strings.Contains(added[i], part) {
			t.Errorf("added %s, want %s", added[i], part)
		}
	}
	if !strings.Contains(added[0], `"time":"2026-03-01T10:00:07Z"`) {
		t.Errorf("a line has not the time of the change: %s", added[0])
	}
	l.Observe(t.Context(), event("completed", rotate.Completing, rotate.Completed)) // the process lives, and was only slow
	if n := len(lines(t, path)); n != 10 || l.Err() != nil {
		t.Errorf("%d lines, %v", n, l.Err())
	}
	if _, err := verify(t, path); err != nil {
		t.Error(err)
	}
}

// A line that was being written when its process died is removed.
func TestTornLine(t *testing.T) {
	path, j := filepath.Join(t.TempDir(), "log"), newJournal(t)
	open(t, path, j).Observe(t.Context(), event("a", rotate.Completing, rotate.Completed))
	before := lines(t, path)
	if err := os.WriteFile(path, []byte(before[0]+"\n"+before[0][:50]), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := verify(t, path); !errors.Is(err, audit.ErrBroken) || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("Verify: %v", err)
	}
	open(t, path, j).Observe(t.Context(), event("b", rotate.Completing, rotate.Completed))
	if s, err := verify(t, path); err != nil || s.Lines != 2 {
		t.Errorf("Verify: %+v, %v", s, err)
	}
}

// Verify names the first line that was changed, removed or added.
func TestVerifyFindsChanges(t *testing.T) {
	path, j := filepath.Join(t.TempDir(), "log"), newJournal(t)
	l := open(t, path, j)
	for i := range 5 {
		l.Observe(t.Context(), event(fmt.Sprint("client-", i), rotate.Completing, rotate.Completed))
	}
	good := lines(t, path)
	good[4] += "\n"
	join := func(parts ...[]string) string {
		var all string
		for _, p := range parts {
			all += strings.Join(p, "")
		}
		return all
	}
	for name, test := range map[string]struct{ text, want string }{
		"nothing":        {join(good), ""},
		"empty":          {"", ""},
		"cut at the end": {join(good[:3]), ""}, // shows by the summary
		"changed":        {join(good[:1], []string{strings.Replace(good[1], "client-1", "client-7", 1)}, good[2:]), "line 3"},
		"removed":        {join(good[:2], good[3:]), "line 3"},
		"removed first":  {join(good[1:]), "line 1"},
		"doubled":        {join(good[:2], good[1:]), "line 3"},
		"swapped":        {join(good[:1], good[2:3], good[1:2], good[3:]), "line 2"},
		"blank line":     {join(good[:2], []string{"\n"}, good[2:]), "line 3"},
		"a space":        {strings.Replace(join(good), `"pid":`, `"pid": `, 1), "line 1"},
		"another member": {strings.Replace(join(good), `"pid":`, `"x":1,"pid":`, 1), "line 1"},
		"other case":     {strings.Replace(join(good), `"pid":`, `"PID":`, 1), "line 1"},
		"not complete":   {strings.TrimSuffix(join(good), "\n"), "line 5"},
		"endless":        {join(good) + strings.Repeat("x", 1<<20), "line 6"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := audit.Verify(strings.NewReader(test.text))
			if (err == nil) != (test.want == "") || err != nil && (!errors.Is(err, audit.ErrBroken) || !strings.Contains(err.Error(), test.want+":")) {
				t.Errorf("%+v, %v, want %q", s, err, test.want)
			}
		})
	}
	if err := os.WriteFile(path, []byte(join(good[1:])), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Open(t.Context(), path, j); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("Open of a changed log: %v", err)
	}
	l.Observe(t.Context(), event("a", rotate.Completing, rotate.Completed))
	if !errors.Is(l.Err(), audit.ErrBroken) {
		t.Errorf("a log that was cut while it is open: %v", l.Err())
	}
}

// Many writers, each with a log of its own as another process would have, make one chain.
func TestManyWriters(t *testing.T) {
	path, j := filepath.Join(t.TempDir(), "log"), newJournal(t)
	var group sync.WaitGroup
	for i := range 4 {
		l := open(t, path, j)
		group.Go(func() {
			for n := range 10 {
				l.Observe(context.Background(), event(fmt.Sprint(i, "-", n), rotate.Completing, rotate.Completed))
			}
			if err := l.Err(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if s, err := verify(t, path); err != nil || s.Lines != 40 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	path, j := filepath.Join(t.TempDir(), "log"), newJournal(t)
	for name, open := range map[string]func() (*audit.Log, error){
		"no path":    func() (*audit.Log, error) { return audit.Open(t.Context(), "", j) },
		"no journal": func() (*audit.Log, error) { return audit.Open(t.Context(), path, nil) },
		"nil option": func() (*audit.Log, error) { return audit.Open(t.Context(), path, j, nil) },
		"no actor":   func() (*audit.Log, error) { return audit.Open(t.Context(), path, j, audit.WithActor("")) },
		"long actor": func() (*audit.Log, error) {
			return audit.Open(t.Context(), path, j, audit.WithActor(strings.Repeat("x", 257)))
		},
		"other actor": func() (*audit.Log, error) { return audit.Open(t.Context(), path, j, audit.WithActor("\xff")) },
	} {
		if l, err := open(); l != nil || !errors.Is(err, audit.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzVerify checks that a log is accepted only as a whole: what is accepted is not accepted with
// any line but the last one taken out.
func FuzzVerify(f *testing.F) {
	path, j := filepath.Join(f.TempDir(), "log"), newJournal(f)
	l := open(f, path, j)
	for i := range 3 {
		l.Observe(f.Context(), event(fmt.Sprint("client-", i), rotate.Completing, rotate.Completed))
	}
	good := strings.Join(lines(f, path), "") + "\n"
	f.Add([]byte(good))
	f.Add([]byte(good[:len(good)/2]))
	f.Add([]byte(strings.Replace(good, `"pid"`, `"PID"`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := audit.Verify(bytes.NewReader(data))
		if n := bytes.Count(data, []byte("\n")); s.Lines > n || err == nil && s.Lines != n {
			t.Fatalf("%d lines of %d, %v", s.Lines, n, err)
		}
		if err != nil && len(err.Error()) > 120 {
			t.Errorf("the error quotes the log: %v", err)
		}
		all := bytes.SplitAfter(data, []byte("\n"))
		for i := 0; err == nil && i < s.Lines-1; i++ {
			rest := bytes.Join(slices.Delete(slices.Clone(all), i, i+1), nil)
			if _, err := audit.Verify(bytes.NewReader(rest)); !errors.Is(err, audit.ErrBroken) {
				t.Errorf("the log is accepted without line %d: %v", i+1, err)
			}
		}
	})
}
