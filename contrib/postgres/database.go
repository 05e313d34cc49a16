package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/sleep"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// ErrInvalidArgument is [rotate.ErrInvalidArgument].
var ErrInvalidArgument = rotate.ErrInvalidArgument

const (
	linger   = 3 * time.Second // for which a statement that was sent may go on after its context ended
	attempts = 20              // of statements that conflict with others
	maxName  = 256             // bytes of the name of a bucket
)

// durable is an expression that makes its statement wait for the disk, even where the session, the
// role or the database is set not to. It changes nothing else: stronger settings and the session
// stay as they are.
const durable = `set_config('synchronous_commit',
	CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)`

// conn is a connection that prepares no statements. A pooler in transaction mode, such as
// pgbouncer, gives each transaction any connection to the server, where a statement that was
// prepared through another one is missing, or is there already.
type conn struct {
	*pgxpool.Conn
	mode pgx.QueryExecMode
}

func (c conn) row(ctx context.Context, statement string, args ...any) pgx.Row {
	return c.QueryRow(ctx, statement, append([]any{c.mode}, args...)...)
}

// exec returns how many rows were affected.
func (c conn) exec(ctx context.Context, statement string, args ...any) (int, error) {
	tag, err := c.Exec(ctx, statement, append([]any{c.mode}, args...)...)
	return int(tag.RowsAffected()), err
}

// modeOf is how statements are sent: in one message each, or as text where the pool is set to that.
func modeOf(pool *pgxpool.Pool) pgx.QueryExecMode {
	if mode := pool.Config().ConnConfig.DefaultQueryExecMode; mode == pgx.QueryExecModeSimpleProtocol {
		return mode
	}
	return pgx.QueryExecModeExec
}

// run calls f with a connection, again if its statements conflict with those of others. ctx ends
// the wait for a connection. A statement that was sent may finish shortly after that: if its result
// were lost, a claim would block its client until it expires. f must be repeatable.
func run(ctx context.Context, pool *pgxpool.Pool, f func(context.Context, conn) error) error {
	acquired, err := pool.Acquire(ctx)
	if err != nil {
		return failed(err)
	}
	defer acquired.Release()
	conn := conn{acquired, modeOf(pool)}
	ctx, cancel := outlive(ctx, linger)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := f(ctx, conn)
		if err == nil {
			return nil
		}
		if attempt == attempts || !conflict(err) {
			return failed(errors.Join(newer(ctx, conn, err), err))
		}
		if err := sleep.For(ctx, rand.N(time.Duration(attempt)*4*time.Millisecond)); err != nil { //nolint:gosec // guards nothing
			return failed(err)
		}
	}
}

// outlive returns a context that ends a while after ctx does.
func outlive(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(by, cancel)
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, func() { stop(); cancel() }
}

// conflict reports whether a statement had no effect because of a concurrent one: a deadlock, or a
// serialization failure where the default isolation of transactions is not "read committed".
func conflict(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// newer returns an error if a statement failed because the tables were changed by a newer version.
func newer(ctx context.Context, c conn, err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) || !strings.HasPrefix(e.Code, "42") { // it names something that does not exist
		return nil
	}
	current, err := version(ctx, c.row)
	if err != nil {
		return nil //nolint:nilerr // the first error says more
	}
	return checkVersion(current)
}

// failed makes an error of the database one of package rotate. The text of such errors has names of
// tables, not values.
func failed(err error) error {
	var e *pgconn.PgError
	switch {
	case errors.Is(err, rotate.ErrBusy), errors.Is(err, rotate.ErrNoRotation), errors.Is(err, rotate.ErrNewerVersion):
		return err
	case errors.As(err, &e) && (e.Code == "42P01" || e.Code == "42P10"): // no table, or not the index that a statement names
		return fmt.Errorf("%w: the tables are missing or of another version: call postgres.Migrate first: %w", rotate.ErrJournal, err)
	}
	return fmt.Errorf("%w: %w", rotate.ErrJournal, err)
}

func invalid(rule string) error { return fmt.Errorf("%w: postgres: %s", ErrInvalidArgument, rule) }

func checkClientID(id string) error {
	if err := project.CheckClientID(id); err != nil {
		return invalid(err.Error())
	}
	return nil
}

// checkName refuses a name of a bucket that PostgreSQL cannot store as text.
func checkName(name string) error {
	if name == "" || len(name) > maxName || strings.ContainsRune(name, 0) || !utf8.ValidString(name) {
		return invalid(fmt.Sprintf("bucket: name must be 1 to %d bytes of UTF-8 without NUL", maxName))
	}
	return nil
}

func checkLife(life time.Duration) error {
	if life <= 0 {
		return invalid("the life of a claim must be positive")
	}
	return nil
}
