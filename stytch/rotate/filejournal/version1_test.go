//go:build unix

package filejournal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// version1Dir returns a journal folder of version 1: testdata/version1 was written by that version,
// one record per state.
func version1Dir(t *testing.T, kind string) string {
	t.Helper()
	dir := journalDir(t)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "version1", kind))); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(paths) != 10 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o700} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range paths {
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// version1Record is what was given to version 1 to be stored.
func version1Record(i int, state rotate.State, spelling string) rotate.Record {
	at := time.Date(2026, 7, 1, 12, 0, 0, 123456789, time.UTC)
	r := rotate.Record{
		RotationID: "rotation-" + spelling, ClientID: "client-" + spelling, State: state, Restarts: i,
		PlannedAt: at, UpdatedAt: at.Add(time.Second),
	}
	if state == rotate.Verified {
		r.ClientID = "Client_" + spelling
	}
	if state != rotate.Planned && !state.Final() {
		r.Current = secret.New("current <secret> é of " + spelling)
	}
	if state != rotate.Planned && state != rotate.Starting {
		r.Delivered = []string{"", "file"}
		if !state.Final() {
			r.Next = secret.New("next \"secret\" of " + spelling)
		}
	}
	switch state {
	case rotate.Grace:
		r.GraceUntil, r.Abort = at.Add(time.Hour), true
	case rotate.NeedsHuman:
		r.Stopped, r.Reason = rotate.Completing, "<neither> secret works\u2028"
	}
	return r
}

var version1States = []rotate.State{
	rotate.Planned, rotate.Starting, rotate.Started, rotate.Delivered, rotate.Verified, rotate.Grace, rotate.Completing,
	rotate.Completed, rotate.Canceled, rotate.NeedsHuman,
}

func sameRecord(a, b rotate.Record) bool {
	same := a.Current.Equal(b.Current) && a.Next.Equal(b.Next) && slices.Equal(a.Delivered, b.Delivered)
	a.Current, a.Next, b.Current, b.Next = secret.String{}, secret.String{}, secret.String{}, secret.String{}
	a.Delivered, b.Delivered = nil, nil
	return same && fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b)
}

// Records of version 1 are read in every state, encrypted or not, and can be written again.
func TestVersion1Records(t *testing.T) {
	key := secret.New(strings.Repeat("a key of 32 ", 3))
	for kind, keys := range map[string][]secret.String{"clear": nil, "sealed": {secret.Generate(), key}} {
		t.Run(kind, func(t *testing.T) {
			dir := version1Dir(t, kind)
			j := openJournal(t, dir, keys...)
			var unfinished, wantUnfinished []string
			for id, err := range j.Unfinished(t.Context()) {
				if err != nil {
					t.Error(err)
				}
				unfinished = append(unfinished, id)
			}
			for i, state := range version1States {
				spelling := strings.Replace(string(state), "canceled", "cancelled", 1) // as version 1 wrote it
				want := version1Record(i, state, spelling)
				if !state.Final() {
					wantUnfinished = append(wantUnfinished, want.ClientID)
				}
				got, err := j.Read(t.Context(), want.ClientID)
				if err != nil || !sameRecord(got, want) {
					t.Errorf("%s: %+v, %v; want %+v", state, got, err, want)
				}
				c, err := j.Claim(t.Context(), want.ClientID, time.Hour)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.Write(t.Context(), c.Record()); err != nil {
					t.Errorf("%s: %v", state, err)
				}
				release(t, c)
				if got, err = j.Read(t.Context(), want.ClientID); err != nil || !sameRecord(got, want) {
					t.Errorf("%s, written again: %+v, %v; want %+v", state, got, err, want)
				}
			}
			slices.Sort(unfinished)
			slices.Sort(wantUnfinished)
			if !slices.Equal(unfinished, wantUnfinished) {
				t.Errorf("Unfinished yields %q, want %q", unfinished, wantUnfinished)
			}
		})
	}
}

// Damaged records of version 1, and those of another project or key, are refused as ever.
func TestVersion1Refused(t *testing.T) {
	dir := version1Dir(t, "sealed")
	path := filepath.Join(dir, "client-started.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	codec, err := rotate.NewCodec(journalProject, secret.New(strings.Repeat("a key of 32 ", 3)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		bad := slices.Clone(data)
		bad[i] ^= 1
		if _, err := codec.Decode("client-started", bad); !errors.Is(err, rotate.ErrCorrupt) && !errors.Is(err, rotate.ErrNewerVersion) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := codec.Decode("client-started", data[:i]); !errors.Is(err, rotate.ErrCorrupt) {
			t.Errorf("cut after %d bytes: %v", i, err)
		}
	}
	if _, err := openJournal(t, dir).Read(t.Context(), "client-started"); !errors.Is(err, rotate.ErrWrongKey) {
		t.Errorf("Read without the key: %v, want %v", err, rotate.ErrWrongKey)
	}
	if err := os.Remove(filepath.Join(dir, "project")); err != nil { // as that version left the folder
		t.Fatal(err)
	}
	if _, err := filejournal.New(dir, "project-test-2", secret.New(strings.Repeat("a key of 32 ", 3))); !errors.Is(err, rotate.ErrOtherProject) {
		t.Errorf("New for another project: %v, want %v", err, rotate.ErrOtherProject)
	}
}

// version1Lease makes the lease file that a process with version 1 has on client "a".
func version1Lease(t *testing.T, dir string) *os.File {
	t.Helper()
	path := filepath.Join(dir, "a.lease")
	if err := os.WriteFile(path, []byte(`{"pid":1,"host":"host","since":"2026-07-01T12:00:00Z"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil { // its time is over
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// A client that a process with version 1 works on is busy. When that process is dead, its lease is
// removed.
func TestVersion1Lease(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	lease := version1Lease(t, dir)
	if locked, err := atomicfile.Lock(lease); err != nil || !locked {
		t.Fatalf("Lock: %t, %v", locked, err)
	}
	if _, err := j.Claim(t.Context(), "a", time.Hour); !errors.Is(err, rotate.ErrBusy) {
		t.Errorf("Claim while version 1 has the client: %v, want %v", err, rotate.ErrBusy)
	}
	wantFiles(t, dir, "a.lease")
	if err := errors.Join(lease.Close(), os.WriteFile(filepath.Join(dir, ".unfinished-KILLED"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	c := claim(t, j)
	wantFiles(t, dir, "a.lock")
	release(t, c)
	wantFiles(t, dir, "")
}

// Version 1 locks the folder exclusively to claim or write. It must not get that lock while a
// client is claimed, and is refused nothing otherwise.
func TestVersion1Folder(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	folderLock := func() (*os.File, bool) {
		file, err := os.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		locked, err := atomicfile.Lock(file)
		if err != nil {
			t.Fatal(err)
		}
		return file, locked
	}
	c := claim(t, j)
	file, locked := folderLock()
	_ = file.Close()
	if locked {
		t.Error("version 1 could claim or write while a client is claimed")
	}
	release(t, c)
	file, locked = folderLock()
	if !locked {
		t.Error("version 1 is locked out although no client is claimed")
	}
	if _, err := j.Claim(t.Context(), "a", time.Hour); !errors.Is(err, rotate.ErrBusy) {
		t.Errorf("Claim while version 1 has the folder: %v, want %v", err, rotate.ErrBusy)
	}
	_ = file.Close()
	release(t, claim(t, j))
}
