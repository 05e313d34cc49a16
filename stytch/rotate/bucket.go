package rotate

import (
	"context"
	"math"
	"sync"
	"time"
)

const (
	recovery   = 30 * time.Second // until the rate is whole again
	lowest     = 1.0 / 16         // of the rate
	maxPause   = 5 * time.Minute  // whatever the server asks for: a mistake of its must not stop a fleet for days
	onePause   = time.Second      // if it does not say for how long
	lateness   = 0.1              // seconds by which a timer may be late without slowing down the whole
	longestNap = time.Minute      // and the rate is looked at again at least this often
)

// Bucket is a [Limiter] for one process: perSecond requests on average, and at most burst at once after a time of rest. It is
// safe for concurrent use, serves in the order of arrival, and nothing runs in it between calls.
//
// Throttle stops everybody for the given time (1 s if that is not positive, 5 min at most), then halves the rate, but not below
// a sixteenth of perSecond. It grows back evenly within 30 s. What is throttled during a pause makes the pause longer if it
// asks for that, never shorter, and does not halve the rate again: it was sent before.
type Bucket struct {
	perSecond, burst float64
	turn             chan struct{} // held by the one who waits for the next token; the others wait for it, in their order

	mu     sync.Mutex
	tokens float64
	at     time.Time // when tokens was counted; in the future: nobody gets one before
	low    float64   // share of the rate that the last throttling left
	slowed time.Time // when it began to grow
}

// NewBucket returns a full bucket. A rate that is not positive and finite, and a burst below 1, are [ErrInvalidArgument].
func NewBucket(perSecond float64, burst int) (*Bucket, error) {
	if !(perSecond > 0) || math.IsInf(perSecond, 0) {
		return nil, wrong(ErrInvalidArgument, "NewBucket: the rate must be positive and finite")
	}
	if burst < 1 {
		return nil, wrong(ErrInvalidArgument, "NewBucket: the burst must be at least 1")
	}
	return &Bucket{
		perSecond: perSecond, burst: float64(burst), turn: make(chan struct{}, 1), tokens: float64(burst), at: time.Now(), low: 1,
	}, nil
}

// Wait implements [Limiter].
func (b *Bucket) Wait(ctx context.Context) error {
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
		wait := b.take(waited)
		if wait == 0 {
			return nil
		}
		if err := (systemClock{}).Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// take takes a token, or says how long to wait before it is asked again.
func (b *Bucket) take(waited bool) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.at.After(now) {
		return b.at.Sub(now)
	}
	b.fill(now, waited)
	if missing := 1 - b.tokens; missing > 1e-9 {
		seconds := min(missing/(b.perSecond*b.share(now)), longestNap.Seconds())
		if now.Sub(b.slowed) < recovery { // it grows meanwhile
			seconds = min(seconds, 1)
		}
		return time.Duration(math.Ceil(seconds * float64(time.Second)))
	}
	b.tokens--
	return 0
}

// fill adds what has come in since the last time. What is over the brim is lost, except while somebody waits: a timer that is
// a millisecond late would cost tokens otherwise, and with a small burst much of the rate.
func (b *Bucket) fill(now time.Time, waited bool) {
	gained := b.perSecond * (b.share(b.at) + b.share(now)) / 2 * now.Sub(b.at).Seconds()
	brim := b.burst
	if waited {
		brim += b.perSecond * lateness
	}
	b.tokens = max(b.tokens, min(b.tokens+gained, brim))
	b.at = now
}

// share is which part of the rate is allowed.
func (b *Bucket) share(now time.Time) float64 {
	grown := min(1, max(0, now.Sub(b.slowed).Seconds()/recovery.Seconds()))
	return b.low + (1-b.low)*grown
}

// Throttle implements [Limiter].
func (b *Bucket) Throttle(wait time.Duration) {
	if wait <= 0 {
		wait = onePause
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if !b.at.After(now) {
		b.low = max(lowest, b.share(now)/2)
		b.tokens = 1 // the first one after the pause finds out
	}
	if end := now.Add(min(wait, maxPause)); end.After(b.at) {
		b.at, b.slowed = end, end
	}
}

// Rate is how many requests a second are allowed now, pauses aside.
func (b *Bucket) Rate() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.perSecond * b.share(time.Now())
}
