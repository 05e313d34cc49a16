package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/stytch/rotate"
)

//go:embed migrations/*.sql
var files embed.FS

// migrations are the names of the files in their order, numbered from 1 without a gap.
var migrations = func() []string {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		panic(err) // the pattern is fixed
	}
	return names
}()

// migrationLock identifies an advisory lock.
const migrationLock = 0x73747974_63686d32

const versionTable = `
	CREATE TABLE IF NOT EXISTS stytch_rotation_migration (
		version    integer     PRIMARY KEY,
		name       text        NOT NULL,
		applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
	)`

// Migrate creates the tables stytch_rotation, stytch_rotation_bucket and stytch_rotation_migration,
// or updates them, in the first schema of the pool's search_path. All changes are made in one
// transaction. Several processes may call it at once: one does the work while the others wait. If
// the tables are up to date it only reads, so workers need no right to create tables. Stop workers
// with an older version first: once the tables were changed they claim nothing more, and end with
// rotate.ErrNewerVersion.
//
// If a newer version of this package has changed the tables, the error is rotate.ErrNewerVersion,
// and the program must not use them. All errors are rotate.ErrJournal.
func Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	if pool == nil {
		return invalid("pool must not be nil")
	}
	mode := modeOf(pool)
	current, err := version(ctx, func(ctx context.Context, sql string, args ...any) pgx.Row {
		return pool.QueryRow(ctx, sql, append([]any{mode}, args...)...)
	})
	if err != nil {
		return failed(err)
	}
	if current < len(migrations) {
		// With a stricter isolation level, the changes of a process that this one waited for would
		// be invisible.
		err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}, func(tx pgx.Tx) error {
			current, err = migrate(ctx, tx, mode)
			return err
		})
		if err != nil {
			return failed(err)
		}
	}
	return checkVersion(current)
}

// newerTables is the error of tables that a newer version of this package has changed.
type newerTables struct{ version int }

func (e *newerTables) Error() string {
	return fmt.Sprintf("postgres: the tables have version %d, and this program knows versions up to %d: update the program", e.version, len(migrations))
}

func (e *newerTables) Is(target error) bool {
	return target == rotate.ErrNewerVersion || target == rotate.ErrJournal
}

func checkVersion(current int) error {
	if current > len(migrations) {
		return &newerTables{current}
	}
	return nil
}

// tableVersion is the version of tables that exist.
const tableVersion = `(SELECT coalesce(max(version), 0) FROM stytch_rotation_migration)`

// version returns the version of the tables; 0 if there are none.
func version(ctx context.Context, row func(ctx context.Context, sql string, args ...any) pgx.Row) (current int, err error) {
	var exists bool
	if err := row(ctx, `SELECT to_regclass('stytch_rotation_migration') IS NOT NULL`).Scan(&exists); err != nil || !exists {
		return 0, err
	}
	err = row(ctx, `SELECT `+tableVersion).Scan(&current)
	return current, err
}

// migrate applies the migrations that are missing, and returns the version after that.
func migrate(ctx context.Context, tx pgx.Tx, mode pgx.QueryExecMode) (current int, err error) {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1), `+durable, mode, int64(migrationLock)); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, versionTable, mode); err != nil {
		return 0, err
	}
	current, err = version(ctx, func(ctx context.Context, sql string, args ...any) pgx.Row {
		return tx.QueryRow(ctx, sql, append([]any{mode}, args...)...)
	})
	if err != nil {
		return 0, err
	}
	for ; current < len(migrations); current++ {
		name := migrations[current]
		statements, err := files.ReadFile(name)
		if err != nil {
			return 0, err
		}
		if _, err := tx.Exec(ctx, string(statements), pgx.QueryExecModeSimpleProtocol); err != nil { // several at once
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		const note = `INSERT INTO stytch_rotation_migration (version, name) VALUES ($1, $2)`
		if _, err := tx.Exec(ctx, note, mode, current+1, name); err != nil {
			return 0, err
		}
	}
	return current, nil
}
