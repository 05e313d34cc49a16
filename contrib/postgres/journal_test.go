//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/internal/heavy"
	sdk "github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/project/projecttest"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/journaltest"
	"github.com/stytchkit/m2m/stytch/secret"
)

// storage is an empty database, for journals with the given settings of their sessions.
func storage(change ...func(*pgxpool.Config)) func(t *testing.T) journaltest.Storage {
	return func(t *testing.T) journaltest.Storage {
		dsn := newSchema(t)
		pool := connect(t, dsn)
		return journaltest.Storage{
			Open: func(t *testing.T) rotate.Journal { return open(t, dsn, change...) },
			Corrupt: func(t *testing.T, clientID string) {
				exec1(t, pool, `UPDATE stytch_rotation SET record = substr(record, 2) WHERE client_id = $1`, clientID)
			},
			Raw: func(t *testing.T) []byte { return dump(t, pool) },
		}
	}
}

func simple(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol }

func TestConformance(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, storage())
}

// Where the database's defaults are others than PostgreSQL's.
func TestConformanceSerializable(t *testing.T) {
	t.Parallel()
	heavy.Only(t)
	journaltest.Run(t, storage(setting("default_transaction_isolation", "serializable")))
}

// Where a pooler in between cannot prepare statements.
func TestConformanceSimpleProtocol(t *testing.T) {
	t.Parallel()
	heavy.Only(t)
	journaltest.Run(t, storage(simple))
}

func claimOf(t *testing.T, j rotate.Journal, clientID string) rotate.Claim {
	t.Helper()
	c, err := j.Claim(t.Context(), clientID, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, c rotate.Claim, r rotate.Record) {
	t.Helper()
	if err := c.Write(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func record(state rotate.State, rotationID string) rotate.Record {
	return rotate.Record{
		RotationID: rotationID, ClientID: subject, State: state,
		Current: secret.New("the-current-secret"), Next: secret.New("the-next-secret"), PlannedAt: time.Now(),
	}
}

// A client without a rotation can be claimed once, from wherever.
func TestClaimBeforeRotation(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	a, b := open(t, dsn), open(t, dsn)
	first := claimOf(t, a, subject)
	if _, err := b.Claim(t.Context(), subject, time.Minute); !errors.Is(err, rotate.ErrBusy) {
		t.Fatalf("second claim: %v, want ErrBusy", err)
	}
	if n, err := b.Plan(t.Context(), []string{subject}); n != 0 || err != nil {
		t.Errorf("Plan of a claimed client: %d, %v", n, err)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rows := query1[int](t, connect(t, dsn), `SELECT count(*) FROM stytch_rotation`); rows != 0 {
		t.Errorf("a claim that nothing came of left %d rows", rows)
	}
	second := claimOf(t, b, subject)
	if err := first.Write(t.Context(), record(rotate.Starting, "1")); !errors.Is(err, rotate.ErrBusy) {
		t.Errorf("write with a released claim: %v, want ErrBusy", err)
	}
	write(t, second, record(rotate.Starting, "2"))
}

// The claim of a process that died before its first write can be taken over.
func TestAbandonedClaim(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	j, pool := open(t, dsn), connect(t, dsn)
	dead := claimOf(t, j, subject)
	exec1(t, pool, `UPDATE stytch_rotation SET lease_until = clock_timestamp()`)
	if n, err := j.Plan(t.Context(), []string{subject}); n != 1 || err != nil {
		t.Fatalf("Plan: %d, %v, want 1", n, err)
	}
	if err := dead.Write(t.Context(), record(rotate.Starting, "1")); !errors.Is(err, rotate.ErrBusy) {
		t.Errorf("write with a claim that a plan took over: %v, want ErrBusy", err)
	}
	c, _, err := j.Next(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if c.Record().State != rotate.Planned {
		t.Errorf("Next: %q, want planned", c.Record().State)
	}
}

// Rotations that ended stay, the latest is the one that is read, and an engine that ended one
// cannot write over another's.
func TestHistory(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	a, b := open(t, dsn), open(t, dsn)
	first := claimOf(t, a, subject)
	for _, state := range []rotate.State{rotate.Started, rotate.Completed} {
		write(t, first, record(state, "1"))
	}
	second := claimOf(t, b, subject) // the final state gave it up
	if r := second.Record(); r.RotationID != "1" || r.State != rotate.Completed || !r.Next.IsZero() {
		t.Fatalf("claim after the end: rotation %q, %q", r.RotationID, r.State)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(t, second, record(rotate.Started, "2"))
	if r := read(t, a); r.RotationID != "2" {
		t.Errorf("the active rotation is 2, and Read returns %q", r.RotationID)
	}
	write(t, second, record(rotate.Canceled, "2"))
	if err := first.Write(t.Context(), record(rotate.Starting, "3")); !errors.Is(err, rotate.ErrBusy) {
		t.Errorf("write of an engine whose rotation is not the latest: %v, want ErrBusy", err)
	}
	write(t, second, record(rotate.Starting, "3")) // no one claimed it in between
	if r := read(t, a); r.RotationID != "3" {
		t.Errorf("Read returns rotation %q, want 3", r.RotationID)
	}
	pool := connect(t, dsn)
	got := query1[string](t, pool, `SELECT string_agg(rotation_id || ' ' || state || ' ' || coalesce(finished, 0), ', ' ORDER BY id) FROM stytch_rotation`)
	if want := "1 completed 1, 2 canceled 2, 3 starting 0"; got != want {
		t.Errorf("rows %q, want %q", got, want)
	}
}

// An engine that did not hear that its last write succeeded may repeat it, and do nothing else.
func TestRepeatedEnd(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	pool := connect(t, dsn)
	cut := &cutter{}
	j := open(t, dsn, cut.install)
	c := claimOf(t, j, subject)
	write(t, c, record(rotate.Started, "1"))
	cut.when("completed")
	if err := c.Write(t.Context(), record(rotate.Completed, "1")); !errors.Is(err, rotate.ErrJournal) {
		t.Fatalf("a write whose answer is lost: %v, want ErrJournal", err)
	}
	if err := c.Write(t.Context(), record(rotate.Started, "2")); !errors.Is(err, rotate.ErrBusy) {
		t.Errorf("a row that ended begins again: %v, want ErrBusy", err)
	}
	write(t, claimOf(t, j, subject), record(rotate.Completed, "2"))
	write(t, c, record(rotate.Completed, "1"))
	if r := read(t, j); r.RotationID != "2" {
		t.Errorf("Read returns rotation %q, want the latest", r.RotationID)
	}
	if got := query1[int](t, pool, `SELECT count(*) FROM stytch_rotation`); got != 2 {
		t.Errorf("%d rows, want 2", got)
	}
}

// No column but the record's has anything that the record's reader must believe.
func TestDatabaseKeepsOneActiveRotation(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	j, pool := open(t, dsn), connect(t, dsn)
	write(t, claimOf(t, j, subject), record(rotate.Started, "1"))
	_, err := pool.Exec(t.Context(), `INSERT INTO stytch_rotation (project, client_id, state) VALUES ($1, $2, 'planned')`, project, subject)
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.ConstraintName != "stytch_rotation_active" {
		t.Errorf("a second active row: %v, want a violation of stytch_rotation_active", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	pool := connect(t, "host=/nowhere")
	for name, test := range map[string]struct {
		pool    *pgxpool.Pool
		project string
		keys    []secret.String
	}{
		"no pool":      {nil, project, []secret.String{key}},
		"no key":       {pool, project, nil},
		"short key":    {pool, project, []secret.String{secret.New("short")}},
		"no project":   {pool, "", []secret.String{key}},
		"long project": {pool, strings.Repeat("p", 300), []secret.String{key}},
	} {
		if _, err := postgres.New(test.pool, test.project, test.keys...); !errors.Is(err, rotate.ErrInvalidArgument) {
			t.Errorf("%s: %v, want ErrInvalidArgument", name, err)
		}
	}
}

// TestDoors holds ids to the rules of the whole SDK. The server does not exist: what passes fails
// there, and nothing is sent.
func TestDoors(t *testing.T) {
	t.Parallel()
	pool := connect(t, "host=/nowhere")
	projecttest.Door(t, "New", sdk.CheckID, projecttest.IDs, postgres.ErrInvalidArgument, func(id string) error {
		_, err := postgres.New(pool, id, key)
		return err
	})
	j := newJournal(t, pool)
	passed := func(err error) error {
		if errors.Is(err, postgres.ErrInvalidArgument) {
			return err
		}
		return nil
	}
	for name, try := range map[string]func(id string) error{
		"Journal.Claim": func(id string) error { _, err := j.Claim(t.Context(), id, time.Minute); return passed(err) },
		"Journal.Read":  func(id string) error { _, err := j.Read(t.Context(), id); return passed(err) },
		"Journal.Plan":  func(id string) error { _, err := j.Plan(t.Context(), []string{id}); return passed(err) },
	} {
		projecttest.Door(t, name, sdk.CheckClientID, projecttest.ClientIDs, postgres.ErrInvalidArgument, try)
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	j := newJournal(t, connect(t, "host=/nowhere")) // nothing is sent
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Claim": func() error { _, err := j.Claim(ctx, subject, 0); return err },
		"Next":  func() error { _, _, err := j.Next(ctx, -1); return err },
		"Defer": func() error { return j.Defer(ctx, nil, time.Now()) },
	} {
		if err := call(); !errors.Is(err, rotate.ErrInvalidArgument) {
			t.Errorf("%s: %v, want ErrInvalidArgument", name, err)
		}
	}
	for _, id := range []string{"", strings.Repeat("x", 257), "a\x00b", "\xff"} {
		_, claim := j.Claim(ctx, id, time.Minute)
		_, read := j.Read(ctx, id)
		_, plan := j.Plan(ctx, []string{"good", id})
		for name, err := range map[string]error{"Claim": claim, "Read": read, "Plan": plan} {
			if !errors.Is(err, rotate.ErrInvalidArgument) {
				t.Errorf("%s(%q): %v, want ErrInvalidArgument", name, id, err)
			}
		}
	}
}

// Every failure of the database is ErrJournal, says what the matter is, and keeps the cause.
func TestErrors(t *testing.T) {
	t.Parallel()
	unmade := newJournal(t, connect(t, newSchema(t)))
	_, err := unmade.Claim(t.Context(), subject, time.Minute)
	var cause *pgconn.PgError
	if !errors.Is(err, rotate.ErrJournal) || !errors.As(err, &cause) || !strings.Contains(err.Error(), "Migrate") {
		t.Errorf("without tables: %v, want ErrJournal that tells to migrate", err)
	}
	away := newJournal(t, connect(t, "host=/nowhere"))
	for range away.Unfinished(t.Context()) {
	}
	calls := map[string]func(context.Context) error{
		"Claim": func(ctx context.Context) error { _, err := away.Claim(ctx, subject, time.Minute); return err },
		"Read":  func(ctx context.Context) error { _, err := away.Read(ctx, subject); return err },
		"Plan":  func(ctx context.Context) error { _, err := away.Plan(ctx, []string{subject}); return err },
		"Next":  func(ctx context.Context) error { _, _, err := away.Next(ctx, time.Minute); return err },
		"Unfinished": func(ctx context.Context) (last error) {
			for _, last = range away.Unfinished(ctx) {
			}
			return last
		},
		"Migrate": func(ctx context.Context) error { return postgres.Migrate(ctx, connect(t, "host=/nowhere")) },
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls {
		var refused *pgconn.ConnectError
		if err := call(t.Context()); !errors.Is(err, rotate.ErrJournal) || !errors.As(err, &refused) {
			t.Errorf("%s without a server: %v, want ErrJournal and the cause", name, err)
		}
		if err := call(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%s after its context ended: %v, want context.Canceled", name, err)
		}
	}
}

// A claim whose caller has gone is released.
func TestCanceledClaim(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	pool := connect(t, dsn)
	hook := &canceller{}
	j := open(t, dsn, func(c *pgxpool.Config) { c.ConnConfig.Tracer = hook })
	if _, err := j.Plan(t.Context(), []string{"planned"}); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(context.Context) error{
		"Claim": func(ctx context.Context) error { _, err := j.Claim(ctx, subject, time.Minute); return err },
		"Next":  func(ctx context.Context) error { _, _, err := j.Next(ctx, time.Minute); return err },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		hook.cancel.Store(&cancel)
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
		if n := query1[int](t, pool, `SELECT count(*) FROM stytch_rotation WHERE lease_until > clock_timestamp()`); n != 0 {
			t.Errorf("%s: the claim is still held", name)
		}
	}
}

// What an engine did must be written although its caller goes away.
func TestCanceledWrite(t *testing.T) {
	t.Parallel()
	hook := &canceller{}
	j := open(t, newSchema(t), func(c *pgxpool.Config) { c.ConnConfig.Tracer = hook })
	c := claimOf(t, j, subject)
	ctx, cancel := context.WithCancel(t.Context())
	hook.cancel.Store(&cancel)
	if err := c.Write(ctx, record(rotate.Started, "1")); err != nil {
		t.Errorf("a write whose context ends while it is sent: %v", err)
	}
	if r := read(t, j); r.RotationID != "1" {
		t.Error("it is not there")
	}
}
