package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/stytch/rotate"
)

const (
	batchTime = 0.1         // seconds: a process takes as many tokens at once as the rate gives in this time
	keep      = time.Second // for how long it may use them
	maxPause  = time.Hour   // whatever the server asks for: a mistake of its must not stop a fleet for days
	burstOnce = time.Second // what was sent before a throttling was heard of slows down no further
)

// The rate starts again at half of what it was, but not below a sixty-fourth, and is whole after a minute if it was halved once.
const share = `least(1, share + greatest(0, extract(epoch FROM clock_timestamp() - slowed_at)) / 120)`

const (
	createBucket = `
		INSERT INTO stytch_rotation_bucket (project, name, tokens, filled_at, share, slowed_at)
		VALUES ($1, $2, $3, clock_timestamp(), 1, 'epoch') ON CONFLICT DO NOTHING`

	// Locked first, so that concurrent takes see each other's result.
	takeTokens = `
		WITH locked AS MATERIALIZED (
			SELECT * FROM stytch_rotation_bucket WHERE project = $1 AND name = $2 FOR UPDATE
		), clock AS MATERIALIZED (
			SELECT tokens, filled_at, ` + share + ` * $3::float8 AS rate, clock_timestamp() AS now FROM locked
		), filled AS (
			SELECT now, rate, greatest(now, filled_at) AS filled_at,
				least($4::float8, tokens + rate * greatest(0, extract(epoch FROM now - filled_at))) AS tokens
			FROM clock
		), granted AS (
			SELECT *, CASE WHEN filled_at > now THEN 0 ELSE least($5::float8, floor(tokens)) END AS granted FROM filled
		)
		UPDATE stytch_rotation_bucket b SET tokens = g.tokens - g.granted, filled_at = g.filled_at
		FROM granted g WHERE b.project = $1 AND b.name = $2
		RETURNING g.granted::int, (extract(epoch FROM g.filled_at - g.now) + greatest(0, $5 - g.tokens) / g.rate)::float8`

	slowDown = `
		UPDATE stytch_rotation_bucket SET
			tokens = 0,
			filled_at = greatest(filled_at, clock_timestamp() + make_interval(secs => $3)),
			share = CASE WHEN slowed_at > clock_timestamp() - make_interval(secs => $4) THEN share
				ELSE greatest(1.0 / 64, ` + share + ` / 2) END,
			slowed_at = CASE WHEN slowed_at > clock_timestamp() - make_interval(secs => $4) THEN slowed_at
				ELSE clock_timestamp() + make_interval(secs => $3) END
		WHERE project = $1 AND name = $2
		RETURNING 0, 0::float8`
)

// Bucket is a limit of requests that all workers of the project share under a name: perSecond on average, and at most burst at
// once after a time of rest. All should give the same numbers. It does not connect.
//
// A process takes tokens for a tenth of a second at a time, so it sends about ten statements per second while it waits and one per
// batch otherwise. Throttle stops all workers for the given time, up to an hour, and halves the rate, which grows back within a
// minute or two. Processes that hold tokens use them up first: one batch each, within a second. If the database cannot be told,
// only this process stops.
//
// Wait returns rotate.ErrJournal if the database cannot be asked. Bad arguments are rotate.ErrInvalidArgument.
func (j *Journal) Bucket(name string, perSecond float64, burst int) (rotate.Limiter, error) {
	if err := checkText("bucket", name); err != nil {
		return nil, err
	}
	if !(perSecond > 0) || math.IsInf(perSecond, 0) || burst < 1 {
		return nil, invalid("bucket: the rate and the burst must be positive and finite")
	}
	return &bucket{
		pool: j.pool, project: j.project, name: name, rate: perSecond, burst: burst,
		batch: int(min(max(1, math.Ceil(perSecond*batchTime)), float64(burst))), turn: make(chan struct{}, 1),
	}, nil
}

type bucket struct {
	pool          *pgxpool.Pool
	project, name string
	rate          float64
	burst, batch  int
	turn          chan struct{} // held by the one who waits for the database or for time to pass; the others wait for it

	mu      sync.Mutex
	tokens  int
	expire  time.Time
	until   time.Time // no request before
	slowed  time.Time // when the database was last told
	covered time.Time // until when it was told to pause
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
	for {
		pause := b.pause()
		if pause == 0 {
			if b.spend() {
				return nil
			}
			granted, wait, err := b.ask(ctx, takeTokens, b.rate, float64(b.burst), float64(b.batch))
			if err != nil {
				return err
			}
			if b.add(granted) {
				continue
			}
			pause = wait
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (b *bucket) pause() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, time.Until(b.until))
}

// spend takes a token that this process has.
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
	b.tokens, b.expire = granted, time.Now().Add(keep)
	return granted > 0
}

// Throttle implements [rotate.Limiter].
func (b *bucket) Throttle(wait time.Duration) {
	wait = min(max(0, wait), maxPause)
	if !b.stop(wait) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), linger)
	defer cancel()
	_, _, _ = b.ask(ctx, slowDown, wait.Seconds(), burstOnce.Seconds()) // this process has stopped already
}

// stop pauses this process, and reports whether the database has to be told: many requests are throttled at once, and one
// statement says it for all of them.
func (b *bucket) stop(wait time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	end := now.Add(wait)
	b.tokens = 0
	if end.After(b.until) {
		b.until = end
	}
	if now.Sub(b.slowed) < burstOnce && !end.After(b.covered.Add(burstOnce)) {
		return false
	}
	b.slowed, b.covered = now, end
	return true
}

// ask sends a statement about the row, and makes the row if there is none.
func (b *bucket) ask(ctx context.Context, statement string, args ...any) (granted int, wait time.Duration, err error) {
	var seconds float64
	args = append([]any{b.project, b.name}, args...)
	err = run(ctx, b.pool, func(ctx context.Context, conn *pgxpool.Conn) error {
		err := conn.QueryRow(ctx, statement, args...).Scan(&granted, &seconds)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if _, err := conn.Exec(ctx, createBucket, b.project, b.name, float64(b.burst)); err != nil {
			return err
		}
		return conn.QueryRow(ctx, statement, args...).Scan(&granted, &seconds)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("bucket %q: %w", b.name, err)
	}
	return granted, max(time.Millisecond, time.Duration(seconds*float64(time.Second))), nil
}
