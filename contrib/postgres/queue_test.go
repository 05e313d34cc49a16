//go:build unix

package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// Clients become due in the order of the list, across batches.
func TestPlanKeepsOrder(t *testing.T) {
	t.Parallel()
	j := open(t, newSchema(t))
	var clients []string
	for i := range 2500 {
		clients = append(clients, fmt.Sprintf("client-%d", (i*7919)%2500))
	}
	if n, err := j.Plan(t.Context(), append(clients, clients[:100]...)); n != len(clients) || err != nil {
		t.Fatalf("Plan: %d, %v, want %d", n, err, len(clients))
	}
	var got []string
	for range heavy.Count(200, 1200) {
		c, _, err := j.Next(t.Context(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Record().ClientID)
	}
	if !slices.Equal(got, clients[:len(got)]) {
		t.Error("Next does not hand out in the order in which Plan was told")
	}
	n := 0
	for _, err := range j.Unfinished(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != len(clients) {
		t.Errorf("Unfinished yields %d clients, want %d", n, len(clients))
	}
}

// The same clients in several orders at once are added once, and no statement waits for ever.
func TestPlanAtOnce(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	var clients []string
	for i := range 1500 {
		clients = append(clients, fmt.Sprintf("client-%d", i))
	}
	var added atomic.Int64
	var all sync.WaitGroup
	for i := range 4 {
		j := open(t, dsn)
		list := slices.Clone(clients)
		if i%2 == 1 {
			slices.Reverse(list)
		}
		all.Go(func() {
			n, err := j.Plan(t.Context(), list)
			if err != nil {
				t.Error(err)
			}
			added.Add(int64(n))
		})
	}
	all.Wait()
	if n := added.Load(); n != int64(len(clients)) {
		t.Errorf("%d were added together, want %d", n, len(clients))
	}
}

// A record that cannot be read is named, stays as it is, and lets the others go first.
func TestNextUnreadable(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	j, pool := open(t, dsn), connect(t, dsn)
	if _, err := j.Plan(t.Context(), []string{"bad", "good"}); err != nil {
		t.Fatal(err)
	}
	exec1(t, pool, `UPDATE stytch_rotation SET record = (SELECT record FROM stytch_rotation WHERE client_id = 'good') WHERE client_id = 'bad'`)
	_, _, err := j.Next(t.Context(), time.Minute)
	if !errors.Is(err, rotate.ErrOtherProject) || !strings.Contains(err.Error(), `"bad"`) {
		t.Errorf("Next of another client's record: %v, want ErrOtherProject that names the client", err)
	}
	if c, _, err := j.Next(t.Context(), time.Minute); err != nil || c.Record().ClientID != "good" {
		t.Errorf("Next after that: %v", err)
	}
	_, wait, err := j.Next(t.Context(), time.Minute)
	if !errors.Is(err, rotate.ErrNoRotation) || wait <= 0 || wait > time.Minute {
		t.Errorf("then: %v, wait %v, want a wait of up to a minute", err, wait)
	}
}

// An idle worker asks again soon while others work, and otherwise when the next grace period ends.
func TestNextWait(t *testing.T) {
	t.Parallel()
	j := open(t, newSchema(t))
	later := record(rotate.Grace, "1")
	later.GraceUntil = time.Now().Add(time.Hour)
	c := claimOf(t, j, subject)
	write(t, c, later)
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, wait, err := j.Next(t.Context(), time.Hour)
	if !errors.Is(err, rotate.ErrNoRotation) || wait < 50*time.Minute || wait > time.Hour {
		t.Errorf("Next while a grace period of an hour runs: %v, %v", wait, err)
	}
	if _, err := j.Plan(t.Context(), []string{"other"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.Next(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	_, wait, err = j.Next(t.Context(), time.Hour)
	if !errors.Is(err, rotate.ErrNoRotation) || wait <= 0 || wait > 2*time.Second {
		t.Errorf("Next while somebody works: %v, %v", wait, err)
	}
}

// Projects share tables and see nothing of each other.
func TestProjects(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	j := open(t, dsn)
	other, err := postgres.New(connect(t, dsn), "project-test-other", key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Plan(t.Context(), []string{subject}); err != nil {
		t.Fatal(err)
	}
	if _, wait, err := other.Next(t.Context(), time.Minute); !errors.Is(err, rotate.ErrNoRotation) || wait != 0 {
		t.Errorf("Next of another project: %v, %v", wait, err)
	}
	if _, err := other.Read(t.Context(), subject); !errors.Is(err, rotate.ErrNoRotation) {
		t.Errorf("Read of another project: %v", err)
	}
	for id := range other.Unfinished(t.Context()) {
		t.Errorf("Unfinished of another project yields %s", id)
	}
	if n, err := other.Plan(t.Context(), []string{subject}); n != 1 || err != nil {
		t.Errorf("Plan of the same client id in another project: %d, %v", n, err)
	}
}

// What is asked all the time is found by an index, however many rotations there are.
func TestStatementsUseIndexes(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	sent := &recorder{}
	j, pool := open(t, dsn, func(c *pgxpool.Config) { c.ConnConfig.Tracer = sent }), connect(t, dsn)
	exec1(t, pool, `
		INSERT INTO stytch_rotation (project, client_id, rotation_id, state, due_at, finished)
		SELECT $1, 'client-' || n, 'r', CASE WHEN n % 2 = 0 THEN 'completed' ELSE 'grace' END,
			CASE WHEN n % 2 = 1 THEN clock_timestamp() + interval '1 hour' END, CASE WHEN n % 2 = 0 THEN 1 END
		FROM generate_series(1, 20000) n`, project)
	exec1(t, pool, `ANALYZE stytch_rotation`)
	sent.reset()
	if _, wait, err := j.Next(t.Context(), time.Minute); !errors.Is(err, rotate.ErrNoRotation) || wait < 50*time.Minute {
		t.Fatalf("Next: %v, %v", wait, err)
	}
	for range j.Unfinished(t.Context()) {
		break
	}
	if _, err := j.Read(t.Context(), "client-77"); !errors.Is(err, rotate.ErrCorrupt) {
		t.Fatalf("Read of a row without a record: %v", err)
	}
	write(t, claimOf(t, j, subject), record(rotate.Completed, "1"))
	statements := sent.all()
	if len(statements) != 7 { // Next has two if nothing is due, Claim has two if no rotation is in progress
		t.Errorf("%d statements, want 7", len(statements))
	}
	for _, s := range statements {
		rows, err := pool.Query(t.Context(), "EXPLAIN "+s.SQL, s.Args...)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(plan, "\n"); strings.Contains(text, "Seq Scan") || strings.Contains(text, "Sort") {
			t.Errorf("reads more than it needs:\n%s\n%s", s.SQL, text)
		}
	}
}
