package token

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	leaseLife    = 10 * time.Second       // longer than a mint takes; a crashed winner holds the others up for so long
	leaseWait    = leaseLife * 3 / 2      // after so long without token and lease, a loser mints directly
	pollMin      = 50 * time.Millisecond  // between two looks of a loser
	pollMax      = 250 * time.Millisecond //
	storeTimeout = 2 * time.Second        // of one operation, in case that the store has no limit of its own
)

// shared gets tokens by way of a Store. It is safe for concurrent use, but its caller sees to it that there is only one
// call of token at a time for a key.
type shared struct {
	store  Store
	keys   []secret.String // given ones; none: derived from the client's secrets
	report func(error)     // told of ErrStore, ErrStoreValue and ErrStoreKey; never nil

	breaker breaker
}

// newShared checks what WithStore was given. report must not be nil. It neither calls the store nor starts anything.
func newShared(store Store, keys []secret.String, report func(error)) (*shared, error) {
	if store == nil {
		return nil, errors.New("token: nil Store")
	}
	for _, k := range keys {
		if len(k.Reveal()) < minKeyLength {
			return nil, fmt.Errorf("token: a key of the shared store has under %d bytes", minKeyLength)
		}
	}
	return &shared{store: store, keys: slices.Clone(keys), report: report}, nil
}

// mintFunc asks the endpoint for a token. It limits its own time.
type mintFunc func(context.Context) (tokenData, error)

// token returns a stored token that w accepts. If there is none, one process mints and the others wait for what it stores.
// It calls mint at most once, and its error is that of mint or of ctx, never the store's. Beside mint and the operations
// of the store it takes leaseWait at most.
func (s *shared) token(ctx context.Context, w wanted, mint mintFunc) (tokenData, origin, error) {
	t, from, err := s.viaStore(ctx, w, mint)
	if !errors.Is(err, errDirect) {
		return t, from, err
	}
	if err := ctx.Err(); err != nil {
		return tokenData{}, fromEndpoint, err
	}
	t, err = mint(ctx)
	return t, fromEndpoint, err
}

// errDirect means that the store is of no help and that nothing was minted.
var errDirect = errors.New("mint directly")

// attempt is one call of token.
type attempt struct {
	*shared
	wanted
	sealer     *sealer
	name       string // of the token in the store
	owner      string // this attempt, to the store's lease
	complained bool   // about the stored value
}

func (s *shared) viaStore(ctx context.Context, w wanted, mint mintFunc) (tokenData, origin, error) {
	sealer, err := newSealer(w, s.keys)
	if err != nil {
		s.report(err)
		return tokenData{}, fromEndpoint, errDirect
	}
	a := attempt{shared: s, wanted: w, sealer: sealer, name: storeName(w.key), owner: newOwner()}
	deadline := time.Now().Add(leaseWait)
	for {
		if t, ok, err := a.lookUp(ctx); ok || err != nil {
			return t, fromStore, err
		}
		if won, err := a.lease(ctx); err != nil {
			return tokenData{}, fromEndpoint, err
		} else if won {
			return a.mintAndShare(ctx, mint)
		}
		wait := jitter(pollMin, pollMax)
		if time.Now().Add(wait).After(deadline) {
			return tokenData{}, fromEndpoint, errDirect
		}
		if !pause(ctx, wait) {
			return tokenData{}, fromEndpoint, errDirect
		}
	}
}

// mintAndShare is what the holder of the lease does.
func (a *attempt) mintAndShare(ctx context.Context, mint mintFunc) (tokenData, origin, error) {
	// However it ends: a lease that nobody works under holds the other processes up.
	defer a.release(context.WithoutCancel(ctx))

	// The last holder may have stored its token after this process looked and before it got the lease.
	if t, ok, err := a.lookUp(ctx); ok || err != nil {
		return t, fromStore, err
	}
	t, err := mint(ctx)
	if err != nil {
		return tokenData{}, fromEndpoint, err
	}
	a.put(context.WithoutCancel(ctx), t)
	return t, fromEndpoint, nil
}

// lookUp reports whether the store has a token that is of use. A token that cannot be read is none.
func (a *attempt) lookUp(ctx context.Context) (tokenData, bool, error) {
	var sealed []byte
	err := a.do(ctx, func(ctx context.Context) (err error) {
		sealed, err = a.store.Get(ctx, a.name)
		return err
	})
	if err != nil || sealed == nil {
		return tokenData{}, false, err
	}
	t, err := a.sealer.open(sealed, time.Now())
	if err != nil {
		if !a.complained { // a loser looks many times
			a.complained = true
			a.report(err)
		}
		return tokenData{}, false, nil
	}
	return t, a.accepts(t, time.Now()), nil
}

func (a *attempt) lease(ctx context.Context) (won bool, err error) {
	err = a.do(ctx, func(ctx context.Context) (err error) {
		won, err = a.store.Lease(ctx, a.name+leaseSuffix, a.owner, leaseLife)
		return err
	})
	return won, err
}

func (a *attempt) release(ctx context.Context) {
	_ = a.do(ctx, func(ctx context.Context) error {
		return a.store.Release(ctx, a.name+leaseSuffix, a.owner)
	}) // reported by do; the lease ends by itself
}

// put stores a token for as long as it is of use to anybody.
func (a *attempt) put(ctx context.Context, t tokenData) {
	life := time.Until(t.expires) - a.minLife
	if life < time.Second {
		return
	}
	sealed, err := a.sealer.seal(t)
	if err != nil {
		a.report(err)
		return
	}
	_ = a.do(ctx, func(ctx context.Context) error {
		return a.store.Put(ctx, a.name, sealed, life)
	}) // reported by do; the token is good all the same
}

// do calls the store unless it has just failed. Every failure, and the end of ctx, is errDirect.
func (s *shared) do(ctx context.Context, operation func(context.Context) error) error {
	if ctx.Err() != nil || !s.breaker.enter(time.Now()) {
		return errDirect
	}
	limited, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := operation(limited)
	switch {
	case err == nil:
		s.breaker.succeeded()
		return nil
	case ctx.Err() != nil: // that says nothing about the store
		s.breaker.gaveUp()
	default:
		s.breaker.failed(time.Now())
		s.report(fmt.Errorf("%w: %w", ErrStore, err))
	}
	return errDirect
}

// pause waits for d, or reports false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
