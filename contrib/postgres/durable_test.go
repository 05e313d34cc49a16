//go:build unix

package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// The server is killed again and again, and what was acknowledged is there after that, although the
// sessions do not wait for the disk by default.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	heavy.Only(t)                                                          // it starts a server five times
	s, err := newServer(needServer(t), "fsync=on", "wal_writer_delay=10s") // so that commits that were not waited for are lost with the server
	if s != nil {
		t.Cleanup(s.remove)
	}
	if err != nil {
		t.Fatal(err)
	}
	dsn := s.newDatabase(t)
	careless := setting("synchronous_commit", "off")
	j, pool := open(t, dsn, careless), connect(t, dsn, careless)
	exec1(t, pool, `CREATE TABLE control (n int)`)
	exec1(t, pool, `CHECKPOINT`)
	lost := 0
	for round := range 4 {
		claim := claimOf(t, j, subject)
		last := 0
		for n := range 5 {
			last = 10*round + n
			write(t, claim, numbered(last))
		}
		exec1(t, pool, `INSERT INTO control VALUES ($1)`, round)
		s.kill()
		if err := claim.Write(t.Context(), numbered(999)); !errors.Is(err, rotate.ErrJournal) {
			t.Fatalf("write without a server: %v, want ErrJournal", err)
		}
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
		pool.Reset()
		if n := read(t, newJournal(t, pool)).Restarts; n != last {
			t.Fatalf("round %d: record %d is stored, and %d was acknowledged", round, n, last)
		}
		if query1[int](t, pool, `SELECT count(*) FROM control WHERE n = $1`, round) == 0 {
			lost++
		}
		eventually(t, "the claim to work on the new server", func() bool {
			return claim.Write(t.Context(), numbered(last)) == nil // connections that broke are found out one by one
		})
		if err := claim.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if lost == 0 {
		t.Error("no commit was lost that did not wait for the disk, so that none of the journal's was says nothing")
	}
}

// A rotation takes as many statements as it has transitions, and one to get it.
func TestStatementsPerRotation(t *testing.T) {
	t.Parallel()
	count := &counter{}
	dsn := newSchema(t)
	j := open(t, dsn, countWith(count))
	clients := []string{"a", "b", "c", "d"}
	if _, err := j.Plan(t.Context(), clients); err != nil {
		t.Fatal(err)
	}
	states := []rotate.State{rotate.Starting, rotate.Started, rotate.Delivered, rotate.Verified, rotate.Completing, rotate.Completed}
	for range clients {
		before := count.n.Load()
		c, _, err := j.Next(t.Context(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, state := range states {
			r := c.Record()
			r.State, r.Next = state, key
			write(t, c, r)
		}
		if err := c.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count.n.Load() - before; n != int64(1+len(states)) {
			t.Errorf("%d statements for %d transitions, want one more", n, len(states))
		}
	}
}
