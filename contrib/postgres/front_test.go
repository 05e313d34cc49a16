//go:build unix

package postgres_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// An old snapshot keeps everything that the index of the queue once held. A claim reads a few pages
// all the same, however much work was done since.
func TestOldSnapshot(t *testing.T) {
	t.Parallel()
	heavy.Only(t) // it makes a long history
	dsn := newSchema(t)
	sent := &recorder{}
	j, pool := open(t, dsn, func(c *pgxpool.Config) { c.ConnConfig.Tracer = sent }), connect(t, dsn)
	const clients = 12_000
	ids := make([]string, clients)
	for i := range ids {
		ids[i] = fmt.Sprintf("client-%05d", i)
	}
	if n, err := j.Plan(t.Context(), ids); n != clients || err != nil {
		t.Fatalf("Plan: %d, %v", n, err)
	}
	// They were planned an hour ago.
	exec1(t, pool, `UPDATE stytch_rotation SET due_at = due_at - interval '1 hour'`)
	exec1(t, pool, `VACUUM ANALYZE stytch_rotation`)
	old, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = old.Rollback(t.Context()) })
	if _, err := old.Exec(t.Context(), `SELECT count(*) FROM stytch_rotation`); err != nil {
		t.Fatal(err)
	}
	for range 3 { // other workers take all but the last thousand through their states, one claim of this one in between
		c, _, err := j.Next(t.Context(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		r := c.Record()
		r.State = rotate.Canceled
		write(t, c, r)
		for _, state := range []string{"starting", "started", "delivered", "completed"} {
			exec1(t, pool, `
				UPDATE stytch_rotation SET state = $1, finished = CASE WHEN $1 = 'completed' THEN 1 END,
					due_at = CASE WHEN $1 <> 'completed' THEN due_at END
				WHERE id IN (SELECT id FROM stytch_rotation WHERE due_at IS NOT NULL AND owner = '' ORDER BY due_at LIMIT 3700)`, state)
		}
	}
	j2 := open(t, dsn, func(c *pgxpool.Config) { c.ConnConfig.Tracer = sent })
	first := claimCost(t, j2, pool, sent)
	next := claimCost(t, j2, pool, sent)
	<-time.After(1100 * time.Millisecond) // until it looks at the whole queue again
	whole := claimCost(t, j2, pool, sent)
	t.Logf("pages read for a claim: %d without knowing where the queue begins, then %d, and %d for a look at the whole queue", first, next, whole)
	if first < 1000 {
		t.Errorf("the first claim read %d pages: the snapshot keeps nothing, so the others show nothing", first)
	}
	if next > 100 || whole > 200 {
		t.Errorf("a claim reads %d pages, and %d when it looks at the whole queue", next, whole)
	}
	if j.Now().IsZero() {
		t.Error("the journal has no time")
	}
}

// claimCost is how many pages the next claim of a journal reads.
func claimCost(t *testing.T, j *postgres.Journal, pool *pgxpool.Pool, sent *recorder) (pages int) {
	t.Helper()
	sent.reset()
	c, _, err := j.Next(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	statement := sent.all()[0]
	if len(sent.all()) != 1 {
		t.Errorf("%d statements for a claim", len(sent.all()))
	}
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	var text []byte
	if err := tx.QueryRow(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+statement.SQL, statement.Args...).Scan(&text); err != nil {
		t.Fatal(err)
	}
	var plans []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
	}
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	if c.Record().State != rotate.Planned {
		t.Errorf("claimed a rotation that is %s", c.Record().State)
	}
	return plans[0].Plan.Hit + plans[0].Plan.Read
}

// What becomes due before the place where a process last found something is found too: what another
// process released, what a dead one had claimed, and what was due long ago.
func TestQueueBeforeTheCursor(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	a, b := open(t, dsn), open(t, dsn)
	if _, err := a.Plan(t.Context(), []string{"1", "2", "3", "4", "5"}); err != nil {
		t.Fatal(err)
	}
	next := func(j *postgres.Journal, life time.Duration) rotate.Claim {
		t.Helper()
		c, _, err := j.Next(t.Context(), life)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first, dead := next(a, time.Hour), next(a, 3*time.Second)
	third := next(b, time.Hour)
	if dead.Record().ClientID != "2" || third.Record().ClientID != "3" {
		t.Fatalf("claimed %q and %q", dead.Record().ClientID, third.Record().ClientID)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	eventually(t, "all that is due to be handed out", func() bool {
		if c, _, err := b.Next(t.Context(), time.Hour); err == nil {
			seen[c.Record().ClientID] = true
		}
		return len(seen) == 4
	})
	past := record(rotate.Grace, "past")
	past.GraceUntil = time.Now().Add(-time.Hour)
	c := claimOf(t, b, subject)
	write(t, c, past)
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := next(b, time.Hour).Record().ClientID; got != subject {
		t.Errorf("claimed %q, want what has been due for an hour", got)
	}
}
