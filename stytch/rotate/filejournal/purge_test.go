//go:build unix

package filejournal_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// put writes the record of a client in a state that it reached some time ago.
func put(t *testing.T, j *filejournal.Journal, clientID string, state rotate.State, ago time.Duration) {
	t.Helper()
	c, err := j.Claim(t.Context(), clientID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer release(t, c)
	r := rotate.NewRecord(clientID, time.Now().Add(-ago))
	r.State = state
	if state == rotate.NeedsHuman {
		r.Stopped = rotate.Starting
	}
	if ago < 0 {
		r.UpdatedAt = time.Time{}
	}
	if state == rotate.Started {
		r.Next = secret.New("the-next-secret")
	}
	if err := c.Write(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// Purge deletes what ended long ago, and nothing else.
func TestPurge(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	day := 24 * time.Hour
	put(t, j, "completed-long-ago", rotate.Completed, 400*day)
	put(t, j, "canceled-long-ago", rotate.Canceled, 366*day)
	put(t, j, "Gone.Long.Ago", rotate.Gone, 500*day) // its file is named by a hash
	put(t, j, "lately", rotate.Completed, 364*day)
	put(t, j, "of-an-unknown-time", rotate.Completed, -1)
	put(t, j, "in-progress", rotate.Started, 400*day)
	put(t, j, "stuck", rotate.NeedsHuman, 400*day)
	put(t, j, "busy", rotate.Completed, 400*day)
	put(t, j, "corrupt", rotate.Completed, 400*day)
	if err := os.Truncate(filepath.Join(dir, "corrupt.json"), 50); err != nil {
		t.Fatal(err)
	}
	held, err := j.Claim(t.Context(), "busy", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Purge(t.Context(), 59*time.Minute); !errors.Is(err, filejournal.ErrInvalidArgument) {
		t.Errorf("Purge of what ended just now: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := j.Purge(ended, 365*day); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("Purge after the end of the context: %d, %v", n, err)
	}
	if n, err := j.Purge(t.Context(), 365*day); n != 3 || err != nil {
		t.Errorf("Purge: %d, %v, want 3", n, err)
	}
	release(t, held)
	wantFiles(t, dir, "busy.json corrupt.json in-progress.json lately.json of-an-unknown-time.json stuck.json")
	if n, err := j.Purge(t.Context(), 365*day); n != 1 || err != nil { // the one that is not busy any more
		t.Errorf("Purge again: %d, %v, want 1", n, err)
	}
	if _, err := j.Read(t.Context(), "canceled-long-ago"); !errors.Is(err, rotate.ErrNoRotation) {
		t.Errorf("Read of a deleted record: %v", err)
	}
}

// Records yields finished rotations too, and continues after one that cannot be read.
func TestRecords(t *testing.T) {
	dir := journalDir(t)
	j := openJournal(t, dir)
	for _, id := range []string{"a", "b", "Other", "corrupt"} {
		put(t, j, id, rotate.Completed, time.Hour)
	}
	put(t, j, "c", rotate.Started, time.Hour)
	if err := os.Truncate(filepath.Join(dir, "corrupt.json"), 50); err != nil {
		t.Fatal(err)
	}
	var ids []string
	faults := 0
	for r, err := range j.Records(t.Context()) {
		if err != nil {
			faults++
			if !errors.Is(err, rotate.ErrCorrupt) {
				t.Error(err)
			}
			continue
		}
		ids = append(ids, r.ClientID)
	}
	slices.Sort(ids)
	if !slices.Equal(ids, []string{"Other", "a", "b", "c"}) || faults != 1 {
		t.Errorf("yielded %q and %d errors", ids, faults)
	}
	for range j.Records(t.Context()) {
		break // must not go on
	}
}
