//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/stytch/rotate"
)

func bucket(t testing.TB, j *postgres.Journal, perSecond float64, burst int) rotate.Limiter {
	t.Helper()
	b, err := j.Bucket("api", perSecond, burst)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Four processes with eight requests each at a time get no more together than the rate and the
// burst give.
func TestBucketIsShared(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	for name, test := range map[string]struct {
		rate  float64
		burst int
	}{"fast": {400, 40}, "slow": {20, 3}} {
		t.Run(name, func(t *testing.T) {
			exec1(t, connect(t, dsn), `DROP TABLE IF EXISTS stytch_rotation, stytch_rotation_bucket, stytch_rotation_migration`)
			var buckets []rotate.Limiter
			for range 4 {
				buckets = append(buckets, bucket(t, open(t, dsn), test.rate, test.burst))
			}
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			var granted atomic.Int64
			var all sync.WaitGroup
			began := time.Now()
			for _, b := range buckets {
				for range 8 {
					all.Go(func() {
						for b.Wait(ctx) == nil {
							granted.Add(1)
						}
					})
				}
			}
			all.Wait()
			limit := float64(test.burst) + test.rate*time.Since(began).Seconds()
			if n := granted.Load(); float64(n) > limit || n <= int64(test.burst) {
				t.Errorf("%d requests, want more than the burst of %d and at most %.1f", n, test.burst, limit)
			}
		})
	}
}

// When the server throttles some workers, all pause, and continue at half of the rate.
func TestBucketThrottle(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	pool := connect(t, dsn)
	var buckets []rotate.Limiter
	for range 4 {
		b := bucket(t, open(t, dsn), 10, 1) // one at a time, so that no process has tokens left
		buckets = append(buckets, b)
	}
	if err := buckets[0].Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	const pause = 1100 * time.Millisecond
	began := time.Now()
	var throttled sync.WaitGroup
	for range 16 {
		for _, b := range buckets[:2] { // the requests in flight of two processes
			throttled.Go(func() { b.Throttle(pause) })
		}
	}
	throttled.Wait()
	var all sync.WaitGroup
	for i, b := range buckets {
		all.Go(func() {
			if err := b.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			if time.Since(began) < pause {
				t.Errorf("process %d did not pause", i)
			}
		})
	}
	all.Wait()
	if share := query1[float64](t, pool, `SELECT share FROM stytch_rotation_bucket`); share != 0.5 {
		t.Errorf("the rate is %v of what it was, want one half", share)
	}
}

// The state in the database follows the policy of package rate: halved once per pause, half of the
// full rate back per minute, and never below 1/64.
func TestBucketRecovers(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	pool := connect(t, dsn)
	j := open(t, dsn)
	throttle := func() float64 {
		bucket(t, j, 10, 1).Throttle(0) // a new process each time
		return query1[float64](t, pool, `SELECT share FROM stytch_rotation_bucket`)
	}
	passes := func(seconds int) {
		exec1(t, pool, `UPDATE stytch_rotation_bucket SET slowed_at = slowed_at - make_interval(secs => $1),
			filled_at = filled_at - make_interval(secs => $1)`, seconds)
	}
	near := func(got, want float64) bool { return got >= want && got < want+0.05 } // the test takes time as well
	if got := throttle(); got != 0.5 {
		t.Fatalf("first: %v, want 0.5", got)
	}
	if got := throttle(); got != 0.5 {
		t.Errorf("during the pause: %v, want no further slowing down", got)
	}
	passes(1 + 30)
	if got := throttle(); !near(got, (0.5+0.25)/2) {
		t.Errorf("half a minute after the pause: %v, want half of 0.75", got)
	}
	passes(3600)
	if got := throttle(); got != 0.5 {
		t.Errorf("after an hour: %v, want half of everything", got)
	}
	for range 20 {
		passes(1)
		throttle()
	}
	passes(1)
	if got := throttle(); !near(got, 1.0/64) {
		t.Errorf("after twenty in a row: %v, want 1/64", got)
	}
}

// Many processes change the row at once, and no token is counted twice or lost.
func TestBucketConflicts(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	const processes, burst = 8, 400
	var granted atomic.Int64
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range processes {
		b := bucket(t, open(t, dsn), 0.01, burst) // one token at a time, and practically none comes in
		all.Go(func() {
			for range burst / processes {
				if err := b.Wait(ctx); err != nil {
					t.Error(err)
					return
				}
				granted.Add(1)
			}
		})
	}
	all.Wait()
	left := query1[float64](t, connect(t, dsn), `SELECT tokens FROM stytch_rotation_bucket`)
	if n := granted.Load(); n != burst || left < 0 || left >= 1 {
		t.Errorf("%d of %d tokens were granted, %v are left", n, burst, left)
	}
}

func TestBucketCanceled(t *testing.T) {
	t.Parallel()
	b := bucket(t, open(t, newSchema(t)), 0.01, 1)
	if err := b.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 4 { // one waits for the time, the others for their turn
		all.Go(func() {
			if err := b.Wait(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("Wait: %v, want context.Canceled", err)
			}
		})
	}
	time.AfterFunc(100*time.Millisecond, cancel)
	all.Wait()
	if err := b.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait after the end: %v, want context.Canceled", err)
	}
}

// The database is asked ten times a second, and not for each request.
func TestBucketStatements(t *testing.T) {
	t.Parallel()
	count := &counter{}
	b := bucket(t, open(t, newSchema(t), countWith(count)), 1000, 1000)
	before := count.n.Load()
	for range 500 {
		if err := b.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := count.n.Load() - before; n > 30 { // 10, unless tokens expire because something is slow; 2 more create the row
		t.Errorf("%d statements for 500 requests at 1000 per second", n)
	}
}

func TestBucketRefuses(t *testing.T) {
	t.Parallel()
	j := newJournal(t, connect(t, "host=/nowhere"))
	for _, test := range []struct {
		name      string
		perSecond float64
		burst     int
	}{{"", 1, 1}, {"api", 0, 1}, {"api", -1, 1}, {"api", math.NaN(), 1}, {"api", math.Inf(1), 1}, {"api", 1, 0}} {
		if _, err := j.Bucket(test.name, test.perSecond, test.burst); !errors.Is(err, rotate.ErrInvalidArgument) {
			t.Errorf("Bucket(%q, %v, %d): %v, want ErrInvalidArgument", test.name, test.perSecond, test.burst, err)
		}
	}
	b := bucket(t, j, 1, 1)
	if err := b.Wait(t.Context()); !errors.Is(err, rotate.ErrJournal) {
		t.Errorf("Wait without a server: %v, want ErrJournal", err)
	}
	b.Throttle(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := b.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait after Throttle without a server: %v, want a pause", err)
	}
}
