//go:build unix

package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/stytch/rotate"
)

func TestPurge(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	sent := &recorder{}
	j, pool := open(t, dsn, func(c *pgxpool.Config) { c.ConnConfig.Tracer = sent }), connect(t, dsn)
	exec1(t, pool, `
		INSERT INTO stytch_rotation (project, client_id, rotation_id, state, finished, updated_at)
		SELECT project, 'client-' || n, 'r', state, finished, clock_timestamp() - n * interval '1 hour'
		FROM generate_series(1, 5000) n, (VALUES
			($1, 'completed', 1), ($1, 'canceled', 2), ($1, 'needs-human', NULL), ('project-test-other', 'completed', 1))
			AS s (project, state, finished)`, project)
	exec1(t, pool, `ANALYZE stytch_rotation`)
	if _, err := j.Purge(t.Context(), 59*time.Minute); !errors.Is(err, postgres.ErrInvalidArgument) || !strings.Contains(err.Error(), "olderThan") {
		t.Errorf("Purge of what ended just now: %v, want ErrInvalidArgument", err)
	}
	n, err := j.Purge(t.Context(), 1000*time.Hour-time.Minute)
	if err != nil || n != 2*4001 {
		t.Errorf("Purge: %d, %v, want %d", n, err, 2*4001)
	}
	sent.reset()
	if n, err := j.Purge(t.Context(), 1000*time.Hour); n != 0 || err != nil {
		t.Errorf("Purge again: %d, %v, want 0", n, err)
	}
	got := query1[string](t, pool, `SELECT string_agg(n::text, ' ' ORDER BY state, project) FROM (
		SELECT state, project, count(*) n FROM stytch_rotation GROUP BY state, project) s`)
	if want := "999 999 5000 5000"; got != want {
		t.Errorf("rows by state %q, want %q", got, want)
	}
	statement := sent.all()[0]
	plan := query1[string](t, pool, "EXPLAIN (FORMAT JSON) "+statement.SQL, statement.Args...)
	if !strings.Contains(plan, "stytch_rotation_finished") || strings.Contains(plan, `"Sort"`) {
		t.Errorf("reads more than it needs: %s", plan)
	}
}

// History that was deleted is that of a client that was never rotated.
func TestPurgeForgets(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	j, pool := open(t, dsn), connect(t, dsn)
	c := claimOf(t, j, subject)
	write(t, c, record(rotate.Completed, "1"))
	exec1(t, pool, `UPDATE stytch_rotation SET updated_at = updated_at - interval '2 hours'`)
	if n, err := j.Purge(t.Context(), time.Hour); n != 1 || err != nil {
		t.Fatalf("Purge: %d, %v", n, err)
	}
	if _, err := j.Read(t.Context(), subject); !errors.Is(err, rotate.ErrNoRotation) {
		t.Errorf("Read: %v, want ErrNoRotation", err)
	}
	if r := claimOf(t, j, subject).Record(); r.State != "" {
		t.Errorf("claimed with a record in state %q", r.State)
	}
}
