package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/stytch/rotate"
)

const (
	linger   = 3 * time.Second // for how long a statement that was sent is waited for after its context ended
	attempts = 20              // of a statement that the database refused because of a concurrent one
	maxID    = 256             // bytes of a client id, a project or the name of a bucket
)

// durable is an expression that makes the statement around it wait for the disk, where the session, the role or the database say
// that commits need not. It changes nothing else: settings that wait for more than the local disk stay, and so does the session.
const durable = `set_config('synchronous_commit',
	CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)`

// run lets f send statements that change something. The context ends the wait for a connection, but not the one for an answer:
// a claim or a write whose answer nobody heard would only be known when its lease is over. f must be repeatable.
func run(ctx context.Context, pool *pgxpool.Pool, f func(context.Context, *pgxpool.Conn) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return failed(err)
	}
	defer conn.Release()
	ctx, cancel := outlive(ctx, linger)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := f(ctx, conn)
		if err == nil {
			return nil
		}
		if attempt == attempts || !refused(err) {
			return failed(err)
		}
		if err := sleep(ctx, rand.N(time.Duration(attempt)*4*time.Millisecond)); err != nil { //nolint:gosec // guards nothing
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

// refused reports whether a statement had no effect because of a concurrent one: a deadlock, or a serialization failure where
// the default isolation of transactions is not "read committed".
func refused(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// failed is what the caller is told about an error of the database. The text of such errors names tables, not values.
func failed(err error) error {
	var e *pgconn.PgError
	switch {
	case errors.Is(err, rotate.ErrBusy), errors.Is(err, rotate.ErrNoRotation):
		return err
	case errors.As(err, &e) && e.Code == "42P01":
		return fmt.Errorf("%w: the tables are missing, call postgres.Migrate first: %w", rotate.ErrJournal, err)
	}
	return fmt.Errorf("%w: %w", rotate.ErrJournal, err)
}

func invalid(rule string) error { return fmt.Errorf("%w: %s", rotate.ErrInvalidArgument, rule) }

// checkText refuses what PostgreSQL cannot store as text, and what no name is.
func checkText(what, text string) error {
	if text == "" || len(text) > maxID || strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
		return invalid(fmt.Sprintf("%s: must be 1 to %d bytes of UTF-8 without NUL", what, maxID))
	}
	return nil
}

func checkLife(life time.Duration) error {
	if life <= 0 {
		return invalid("the life of a claim must be positive")
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
