package rotate

import (
	"context"
	"sync"
	"time"

	"github.com/stytchkit/m2m/internal/rate"
	"github.com/stytchkit/m2m/internal/sleep"
)

// Bucket is a [Limiter] for one process: perSecond requests on average, and at most burst at once
// after a rest. It is safe for concurrent use and serves callers in the order of their arrival.
//
// Throttle stops all callers for the given time, 1 s at least and 1 h at most, and halves the rate,
// down to 1/64 of perSecond. The rate grows back by half of perSecond per minute. A request that is
// throttled during a pause was sent before it: it may make the pause longer but does not halve the
// rate again.
type Bucket struct {
	policy rate.Policy
	turn   chan struct{} // held by the caller that waits for the next token; the others wait for it, in order

	mu    sync.Mutex
	state rate.State
}

// NewBucket returns a full bucket. The rate must be positive and finite and the burst at least 1;
// otherwise the error is [ErrInvalidArgument].
func NewBucket(perSecond float64, burst int) (*Bucket, error) {
	policy, err := rate.NewPolicy(perSecond, burst)
	if err != nil {
		return nil, because(ErrInvalidArgument, err)
	}
	return &Bucket{policy: policy, turn: make(chan struct{}, 1), state: policy.Full(time.Now())}, nil
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
		granted, wait := b.take(waited)
		if granted {
			return nil
		}
		if err := sleep.For(ctx, wait); err != nil {
			return err
		}
	}
}

func (b *Bucket) take(waited bool) (granted bool, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next, n, wait := b.policy.Take(b.state, time.Now(), 1, waited)
	b.state = next
	return n > 0, wait
}

// Throttle implements [Limiter].
func (b *Bucket) Throttle(wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state = b.policy.Throttle(b.state, time.Now(), wait)
}

// Rate is how many requests a second are allowed now, pauses aside.
func (b *Bucket) Rate() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.policy.Rate(b.state, time.Now())
}
