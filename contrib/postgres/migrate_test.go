//go:build unix

package postgres_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Many processes migrate an empty database at once.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for _, isolation := range []string{"read committed", "repeatable read", "serializable"} {
		dsn := newSchema(t)
		var all sync.WaitGroup
		for range 8 {
			pool := connect(t, dsn, setting("default_transaction_isolation", isolation))
			all.Go(func() {
				if err := postgres.Migrate(t.Context(), pool); err != nil {
					t.Errorf("%s: %v", isolation, err)
				}
			})
		}
		all.Wait()
		if n := query1[int](t, connect(t, dsn), `SELECT count(*) FROM stytch_rotation_migration`); n != migrations(t) {
			t.Errorf("%s: %d migrations are recorded, want %d", isolation, n, migrations(t))
		}
	}
}

// migrations is how many there are.
func migrations(t *testing.T) int {
	t.Helper()
	paths, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(paths) == 0 {
		t.Fatal("no migrations", err)
	}
	return len(paths)
}

// Once the tables are there, a role that may only use them can migrate and work.
func TestMigrateWithoutRights(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	owner := connect(t, dsn)
	if err := postgres.Migrate(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	role := schemaOf(dsn) + "_worker"
	exec1(t, owner, `CREATE ROLE `+role+` LOGIN`)
	exec1(t, owner, `GRANT USAGE ON SCHEMA `+schemaOf(dsn)+` TO `+role)
	exec1(t, owner, `GRANT SELECT, INSERT, UPDATE, DELETE ON stytch_rotation, stytch_rotation_bucket TO `+role)
	exec1(t, owner, `GRANT SELECT ON stytch_rotation_migration TO `+role)
	j := open(t, dsn+" user="+role)
	write(t, claimOf(t, j, subject), record(rotate.Completed, "1"))
	b, err := j.Bucket("api", 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMigrateNewerTables(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	open(t, dsn)
	pool := connect(t, dsn)
	future := migrations(t) + 1
	exec1(t, pool, `INSERT INTO stytch_rotation_migration (version, name) VALUES ($1, 'of the future')`, future)
	err := postgres.Migrate(t.Context(), pool)
	if !errors.Is(err, rotate.ErrNewerVersion) || !strings.Contains(err.Error(), fmt.Sprint("version ", future)) {
		t.Errorf("Migrate on newer tables: %v, want ErrNewerVersion with the version", err)
	}
	if n := query1[int](t, pool, `SELECT max(version) FROM stytch_rotation_migration`); n != future {
		t.Errorf("the version is %d now", n)
	}
}

// The tables are where the connection string says.
func TestSchema(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	pool := connect(t, dsn)
	schema := schemaOf(dsn) + "_rotation"
	exec1(t, pool, `CREATE SCHEMA `+schema)
	j := open(t, dsn, setting("search_path", schema))
	write(t, claimOf(t, j, subject), record(rotate.Completed, "1"))
	if n := query1[int](t, pool, `SELECT count(*) FROM `+schema+`.stytch_rotation`); n != 1 {
		t.Errorf("%d rows in the schema, want 1", n)
	}
}

// Tables and records of version 1, which spelled one state differently, can be read and continued.
func TestMigrateVersion1(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	pool := connect(t, dsn)
	first, err := os.ReadFile("migrations/0001_journal.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), string(first), pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	exec1(t, pool, `CREATE TABLE stytch_rotation_migration (
		version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())`)
	exec1(t, pool, `INSERT INTO stytch_rotation_migration (version, name) VALUES (1, 'migrations/0001_journal.sql')`)
	paths, err := filepath.Glob("testdata/version1/*.json")
	if err != nil || len(paths) != 10 {
		t.Fatalf("%d records, %v", len(paths), err)
	}
	wantUnfinished := 0
	states := map[string]rotate.State{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var r struct {
			ClientID string `json:"client_id"`
			State    string `json:"state"`
		}
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
		var finished *int
		if r.State == "cancelled" || r.State == "completed" {
			finished = new(int)
			*finished = 1
		} else {
			wantUnfinished++
		}
		exec1(t, pool, `INSERT INTO stytch_rotation (project, client_id, state, record, finished, due_at)
			VALUES ('project-test-1', $1, $2, $3, $4, CASE WHEN $2 = 'planned' THEN clock_timestamp() END)`, r.ClientID, r.State, data, finished)
		states[r.ClientID] = rotate.State(strings.Replace(r.State, "cancelled", "canceled", 1))
	}
	if err := postgres.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	j, err := postgres.New(pool, "project-test-1", secret.New(strings.Repeat("a key of 32 ", 3)))
	if err != nil {
		t.Fatal(err)
	}
	for id, state := range states {
		r, err := j.Read(t.Context(), id)
		if err != nil || r.State != state || !state.Final() && state != rotate.Planned && r.Current.IsZero() {
			t.Errorf("%s: state %q, %v; want %q", id, r.State, err, state)
		}
		c := claimOf(t, j, id)
		if r = c.Record(); r.State != state {
			t.Errorf("%s: claimed in state %q, want %q", id, r.State, state)
		}
		if err := c.Release(t.Context()); err != nil {
			t.Error(err)
		}
	}
	n := 0
	for _, err := range j.Unfinished(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != wantUnfinished {
		t.Errorf("%d unfinished rotations, want %d", n, wantUnfinished)
	}
	if c, _, err := j.Next(t.Context(), time.Minute); err != nil || c.Record().State != rotate.Planned {
		t.Errorf("Next: %v", err)
	}
	if n, err := j.Plan(t.Context(), []string{"client-cancelled", "client-started"}); n != 1 || err != nil {
		t.Errorf("Plan of a canceled and a started one: %d, %v; want 1", n, err)
	}
}

// A worker that began before a newer version changed the tables claims nothing more, and ends with
// an error that says why. What it has claimed it may finish, if the tables still allow that.
func TestMigratedMeanwhile(t *testing.T) {
	t.Parallel()
	const clients = 4
	f, dsn := newSystem(t, clients), newSchema(t)
	j, pool := open(t, dsn), connect(t, dsn)
	if _, err := j.Plan(t.Context(), f.clients); err != nil {
		t.Fatal(err)
	}
	held := claimOf(t, j, subject)
	write(t, held, record(rotate.Started, "1"))
	future := migrations(t) + 1
	exec1(t, pool, `INSERT INTO stytch_rotation_migration (version, name) VALUES ($1, 'of the future')`, future)
	calls := map[string]func() error{
		"Claim": func() error { _, err := j.Claim(t.Context(), "another", time.Minute); return err },
		"Next":  func() error { _, _, err := j.Next(t.Context(), time.Minute); return err },
		"Plan":  func() error { _, err := j.Plan(t.Context(), []string{"another"}); return err },
		"Fleet": func() error {
			one, err := fleet.New(f.engine(t, j))
			if err != nil {
				return err
			}
			report, err := one.Run(t.Context(), nil)
			if report.Done+report.Failed+report.Busy != 0 {
				t.Errorf("the fleet reports %+v", report)
			}
			return err
		},
	}
	check := func(names ...string) {
		t.Helper()
		for _, name := range names {
			began := time.Now()
			err := calls[name]()
			if !errors.Is(err, rotate.ErrNewerVersion) || !errors.Is(err, rotate.ErrJournal) || !strings.Contains(err.Error(), fmt.Sprint("version ", future)) ||
				!strings.Contains(err.Error(), "update the program") {
				t.Errorf("%s: %v, want ErrNewerVersion that says what to do", name, err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("%s: it took %v", name, took)
			}
		}
	}
	check("Claim", "Next", "Plan", "Fleet")
	if n := query1[int](t, pool, `SELECT count(*) FROM stytch_rotation WHERE owner <> ''`); n != 1 {
		t.Errorf("%d rows are claimed, want that of before", n)
	}
	write(t, held, record(rotate.Completed, "1"))
	exec1(t, pool, `ALTER TABLE stytch_rotation RENAME lease_until TO leased`)
	check("Claim", "Next")
	if err := held.Write(t.Context(), record(rotate.Completed, "1")); !errors.Is(err, rotate.ErrNewerVersion) {
		t.Errorf("a write that the tables do not allow: %v, want ErrNewerVersion", err)
	}
}
