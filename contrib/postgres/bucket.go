package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/internal/rate"
	"github.com/stytchkit/m2m/internal/sleep"
	"github.com/stytchkit/m2m/stytch/rotate"
)

const (
	batchTime = 0.1         // seconds of the rate that a process takes tokens for at once
	keepTime  = time.Second // for which it may use them
)

// Bucket returns a limiter that all workers of the project share under a name: perSecond requests
// on average, and at most burst at once after a rest. All workers should pass the same numbers. It
// does not connect.
//
// A process takes the tokens of a tenth of a second at once, so it sends about twenty statements
// per second while it waits, and two per batch otherwise. Throttle stops all workers for the given
// time, 1 s at least and 1 h at most, and halves the rate, down to 1/64 of perSecond; it grows back
// by half of perSecond per minute. Other processes notice with their next batch, within a second.
// If the database cannot be reached, Throttle stops this process only.
//
// Wait returns rotate.ErrJournal if the database cannot be reached. Bad arguments are
// [ErrInvalidArgument].
func (j *Journal) Bucket(name string, perSecond float64, burst int) (rotate.Limiter, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	policy, err := rate.NewPolicy(perSecond, burst)
	if err != nil {
		return nil, invalid("bucket: " + err.Error())
	}
	return &bucket{
		row: bucketRow{pool: j.pool, project: j.project, name: name, policy: policy}, policy: policy,
		batch: int(min(max(1, math.Ceil(perSecond*batchTime)), float64(burst))), turn: make(chan struct{}, 1),
	}, nil
}

// bucket is the part of a process in a shared limit: the tokens that it took from the row.
type bucket struct {
	row    bucketRow
	policy rate.Policy
	batch  int
	turn   chan struct{} // held by the caller that waits for the database or for time; the others wait for it

	mu     sync.Mutex
	tokens int
	expire time.Time // of tokens
	paused time.Time // no request before it
	shared time.Time // when the database last got a pause
	until  time.Time // when that pause ends
}

// Wait implements [rotate.Limiter].
func (b *bucket) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for waited := false; ; waited = true {
		wait := b.pause()
		if wait == 0 {
			if b.spend() {
				return nil
			}
			granted, next, err := b.take(ctx, waited)
			if err != nil {
				return err
			}
			if b.add(granted) {
				continue
			}
			wait = max(next, time.Millisecond)
		}
		if err := sleep.For(ctx, wait); err != nil {
			return err
		}
	}
}

func (b *bucket) pause() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, time.Until(b.paused))
}

// spend uses a token that this process has.
func (b *bucket) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens == 0 || time.Now().After(b.expire) {
		b.tokens = 0
		return false
	}
	b.tokens--
	return true
}

func (b *bucket) add(granted int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens, b.expire = granted, time.Now().Add(keepTime)
	return granted > 0
}

// take takes a batch out of the row.
func (b *bucket) take(ctx context.Context, waited bool) (granted int, wait time.Duration, err error) {
	err = b.row.change(ctx, func(s rate.State, now time.Time) (rate.State, bool) {
		s, granted, wait = b.policy.Take(s, now, b.batch, waited)
		return s, granted > 0 // otherwise what came in is counted the next time
	})
	return granted, wait, err
}

// Throttle implements [rotate.Limiter].
func (b *bucket) Throttle(wait time.Duration) {
	wait = min(max(wait, rate.MinPause), rate.MaxPause)
	if !b.stop(wait) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), linger)
	defer cancel()
	_ = b.row.change(ctx, func(s rate.State, now time.Time) (rate.State, bool) {
		return b.policy.Throttle(s, now, wait), true
	}) // this process has stopped in any case
}

// stop pauses this process, and reports whether the database must get the pause too. Many requests
// are throttled at once, and the pause of one is enough.
func (b *bucket) stop(wait time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	end := now.Add(wait)
	b.tokens = 0
	if end.After(b.paused) {
		b.paused = end
	}
	if now.Sub(b.shared) < rate.MinPause && !end.After(b.until.Add(rate.MinPause)) {
		return false
	}
	b.shared, b.until = now, end
	return true
}

// bucketRow is the state of a limit in the database.
type bucketRow struct {
	pool          *pgxpool.Pool
	project, name string
	policy        rate.Policy
}

const (
	createBucket = `
		INSERT INTO stytch_rotation_bucket (project, name, tokens, filled_at, share, slowed_at)
		VALUES ($1, $2, $3, clock_timestamp(), 1, 'epoch') ON CONFLICT DO NOTHING`
	readBucket = `
		SELECT xmin::text, clock_timestamp(), tokens, filled_at, share, slowed_at
		FROM stytch_rotation_bucket WHERE project = $1 AND name = $2`
	writeBucket = `
		UPDATE stytch_rotation_bucket SET tokens = $4, filled_at = $5, share = $6, slowed_at = $7
		WHERE project = $1 AND name = $2 AND xmin::text = $3`
)

// change replaces the state. f gets the state and the database's time, and is called again if
// another process was faster. The row is not locked meanwhile, so that a process that is paused
// here stops no other.
func (r bucketRow) change(ctx context.Context, f func(rate.State, time.Time) (next rate.State, changed bool)) error {
	err := run(ctx, r.pool, func(ctx context.Context, conn conn) error {
		for attempt := 1; ; attempt++ {
			s, now, version, err := r.read(ctx, conn)
			if err != nil {
				return err
			}
			next, changed := f(s, now)
			if !changed {
				return nil
			}
			n, err := conn.exec(ctx, writeBucket, r.project, r.name, version, next.Tokens, next.Filled, next.Share, next.Slowed)
			if err != nil || n > 0 {
				return err
			}
			if err := sleep.For(ctx, rand.N(time.Duration(min(attempt, attempts))*time.Millisecond)); err != nil { //nolint:gosec // guards nothing
				return err
			}
		}
	})
	if err != nil {
		return fmt.Errorf("bucket %q: %w", r.name, err)
	}
	return nil
}

// read reads the row, and creates it if there is none.
func (r bucketRow) read(ctx context.Context, conn conn) (s rate.State, now time.Time, version string, err error) {
	scan := func() error {
		return conn.row(ctx, readBucket, r.project, r.name).Scan(&version, &now, &s.Tokens, &s.Filled, &s.Share, &s.Slowed)
	}
	if err = scan(); !errors.Is(err, pgx.ErrNoRows) {
		return s, now, version, err
	}
	full := r.policy.Full(now)
	if _, err = conn.exec(ctx, createBucket, r.project, r.name, full.Tokens); err == nil {
		err = scan()
	}
	return s, now, version, err
}
