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
// with an older version first: their statements fail with rotate.ErrJournal once the tables were
// changed.
//
// If a newer version of this package has changed the tables, the error is rotate.ErrNewerVersion,
// and the program must not use them. Other errors are rotate.ErrJournal.
func Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	if pool == nil {
		return invalid("pool must not be nil")
	}
	names, err := fs.Glob(files, "migrations/*.sql") // sorted, and numbered from 1 without a gap
	if err != nil {
		return failed(err)
	}
	current, err := version(ctx, pool)
	if err != nil {
		return failed(err)
	}
	if current < len(names) {
		// With a stricter isolation level, the changes of a process that this one waited for would
		// be invisible.
		err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}, func(tx pgx.Tx) error {
			current, err = migrate(ctx, tx, names)
			return err
		})
		if err != nil {
			return failed(err)
		}
	}
	if current > len(names) {
		return fmt.Errorf("%w: the tables have version %d, this program knows versions up to %d: update it", rotate.ErrNewerVersion, current, len(names))
	}
	return nil
}

// version returns the version of the tables; 0 if there are none.
func version(ctx context.Context, db interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}) (current int, err error) {
	var exists bool
	if err := db.QueryRow(ctx, `SELECT to_regclass('stytch_rotation_migration') IS NOT NULL`).Scan(&exists); err != nil || !exists {
		return 0, err
	}
	err = db.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM stytch_rotation_migration`).Scan(&current)
	return current, err
}

// migrate applies the migrations that are missing, and returns the version after that.
func migrate(ctx context.Context, tx pgx.Tx, names []string) (current int, err error) {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1), `+durable, int64(migrationLock)); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, versionTable); err != nil {
		return 0, err
	}
	if current, err = version(ctx, tx); err != nil {
		return 0, err
	}
	for ; current < len(names); current++ {
		name := names[current]
		statements, err := files.ReadFile(name)
		if err != nil {
			return 0, err
		}
		if _, err := tx.Exec(ctx, string(statements), pgx.QueryExecModeSimpleProtocol); err != nil { // several at once
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		const note = `INSERT INTO stytch_rotation_migration (version, name) VALUES ($1, $2)`
		if _, err := tx.Exec(ctx, note, current+1, name); err != nil {
			return 0, err
		}
	}
	return current, nil
}
