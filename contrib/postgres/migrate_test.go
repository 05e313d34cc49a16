//go:build unix

package postgres_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// Many processes begin at once on an empty database.
func TestMigrateAtOnce(t *testing.T) {
	for _, isolation := range []string{"read committed", "repeatable read", "serializable"} {
		dsn := newDatabase(t)
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
		if n := query1[int](t, connect(t, dsn), `SELECT count(*) FROM stytch_rotation_migration`); n != 1 {
			t.Errorf("%s: %d migrations are noted, want 1", isolation, n)
		}
	}
}

// Once the tables are there, a role that may only use them can migrate and work.
func TestMigrateWithoutRights(t *testing.T) {
	dsn := newDatabase(t)
	owner := connect(t, dsn)
	if err := postgres.Migrate(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	role := strings.Fields(dsn)[2][len("dbname="):] + "_worker"
	exec1(t, owner, `CREATE ROLE `+role+` LOGIN`)
	exec1(t, owner, `REVOKE CREATE ON SCHEMA public FROM PUBLIC`)
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
	dsn := newDatabase(t)
	open(t, dsn)
	pool := connect(t, dsn)
	exec1(t, pool, `INSERT INTO stytch_rotation_migration (version, name) VALUES (2, 'of the future')`)
	err := postgres.Migrate(t.Context(), pool)
	if !errors.Is(err, rotate.ErrNewerVersion) || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("Migrate on newer tables: %v, want ErrNewerVersion that tells the version", err)
	}
	if n := query1[int](t, pool, `SELECT max(version) FROM stytch_rotation_migration`); n != 2 {
		t.Errorf("the version is %d now", n)
	}
}

// The tables are where the connection string says.
func TestSchema(t *testing.T) {
	dsn := newDatabase(t)
	pool := connect(t, dsn)
	exec1(t, pool, `CREATE SCHEMA rotation`)
	j := open(t, dsn, setting("search_path", "rotation"))
	write(t, claimOf(t, j, subject), record(rotate.Completed, "1"))
	if n := query1[int](t, pool, `SELECT count(*) FROM rotation.stytch_rotation`); n != 1 {
		t.Errorf("%d rows in the schema, want 1", n)
	}
}
