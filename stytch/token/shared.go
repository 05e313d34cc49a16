package token

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stytchkit/m2m/internal/seal"
	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	leaseLife    = 10 * time.Second       // longer than a mint takes; if its holder crashes, the others wait this long
	leaseWait    = leaseLife * 3 / 2      // after this long without token and lease, a process mints directly
	pollMin      = 50 * time.Millisecond  // shortest time between two lookups while another process mints
	pollMax      = 250 * time.Millisecond // longest
	storeTimeout = 2 * time.Second        // of one operation, in case the store has no limit of its own
)

// sharedStore gets tokens by way of a Store. It is safe for concurrent use, but token must be
// called only once at a time for each cache key.
type sharedStore struct {
	store  Store
	keys   []secret.String // none: keys are derived from the client's secrets
	report func(context.Context, error)

	breaker breaker
}

// newSharedStore checks the arguments of WithStore. report is called with ErrStore, ErrStoreValue
// and ErrStoreKey.
func newSharedStore(store Store, keys []secret.String, report func(context.Context, error)) (*sharedStore, error) {
	for _, k := range keys {
		if len(k.Reveal()) < seal.MinKeyLength {
			return nil, invalid("WithStore", "%v", seal.ErrShortKey)
		}
	}
	return &sharedStore{store: store, keys: slices.Clone(keys), report: report}, nil
}

// wanted describes the token that a caller of the store needs.
type wanted struct {
	key             string // all that distinguishes tokens: base URL, project, client, scopes, parameters
	project, client string
	secrets         []secret.String // of the client, the current one first

	// replaced is the token to replace, if there is one: a stored one must be different and expire
	// later. If it was dropped, its Expiry is the zero time, and any other token will do.
	replaced issuedToken
	minLife  time.Duration // that a token must have left to be useful
}

func (w *wanted) accepts(t issuedToken, now time.Time) bool {
	return t.Expiry.Sub(now) >= w.minLife && t.Expiry.After(w.replaced.Expiry) && !t.Value.Equal(w.replaced.Value)
}

// mintFunc has the endpoint issue a token. It limits its own time.
type mintFunc func(context.Context) (issuedToken, error)

// token returns a stored token that w accepts. If there is none, one process mints and the others
// wait for what it stores. It calls mint at most once, and its error is that of mint or of ctx,
// never that of the store. Apart from mint and the operations of the store, it takes at most
// leaseWait.
func (s *sharedStore) token(ctx context.Context, w wanted, mint mintFunc) (t issuedToken, fromStore bool, err error) {
	t, fromStore, err = s.throughStore(ctx, w, mint)
	if !errors.Is(err, errMintDirectly) {
		return t, fromStore, err
	}
	if err := ctx.Err(); err != nil {
		return issuedToken{}, false, err
	}
	t, err = mint(ctx)
	return t, false, err
}

// errMintDirectly: the store cannot help, and nothing was minted.
var errMintDirectly = errors.New("mint directly")

// storeCall is one call of token.
type storeCall struct {
	*sharedStore
	wanted
	sealer   *sealer
	name     string // of the token in the store
	owner    string // of the lease
	reported bool   // that the stored value is unreadable
}

func (s *sharedStore) throughStore(ctx context.Context, w wanted, mint mintFunc) (t issuedToken, fromStore bool, err error) {
	sources := s.keys
	if len(sources) == 0 {
		sources = w.secrets
	}
	sealer, err := newSealer(w.key, w.project, w.client, sources)
	if err != nil {
		s.report(ctx, err)
		return issuedToken{}, false, errMintDirectly
	}
	c := storeCall{sharedStore: s, wanted: w, sealer: sealer, name: storeName(w.key), owner: rand.Text()}
	deadline := time.Now().Add(leaseWait)
	for {
		if t, ok, err := c.lookUp(ctx); ok || err != nil {
			return t, ok, err
		}
		if won, err := c.lease(ctx); err != nil {
			return issuedToken{}, false, err
		} else if won {
			return c.mintAndShare(ctx, mint)
		}
		wait := jitter(pollMin, pollMax)
		if time.Now().Add(wait).After(deadline) || !pause(ctx, wait) {
			return issuedToken{}, false, errMintDirectly
		}
	}
}

// mintAndShare is what the holder of the lease does.
func (c *storeCall) mintAndShare(ctx context.Context, mint mintFunc) (t issuedToken, fromStore bool, err error) {
	// However it ends: while the lease lasts, the other processes wait.
	defer c.release(context.WithoutCancel(ctx))

	// The previous holder may have stored its token after this process looked and before it got the
	// lease.
	if t, ok, err := c.lookUp(ctx); ok || err != nil {
		return t, ok, err
	}
	if t, err = mint(ctx); err != nil {
		return issuedToken{}, false, err
	}
	c.put(context.WithoutCancel(ctx), t)
	return t, false, nil
}

// lookUp reports whether the store has a useful token. An unreadable one is not useful.
func (c *storeCall) lookUp(ctx context.Context) (issuedToken, bool, error) {
	var sealed []byte
	err := c.do(ctx, func(ctx context.Context) (err error) {
		sealed, err = c.store.Get(ctx, c.name)
		return err
	})
	if err != nil || sealed == nil {
		return issuedToken{}, false, err
	}
	t, err := c.sealer.open(sealed, time.Now())
	if err != nil {
		if !c.reported { // a process that waits looks many times
			c.reported = true
			c.report(ctx, err)
		}
		return issuedToken{}, false, nil
	}
	return t, c.accepts(t, time.Now()), nil
}

func (c *storeCall) lease(ctx context.Context) (won bool, err error) {
	err = c.do(ctx, func(ctx context.Context) (err error) {
		won, err = c.store.Lease(ctx, c.name+leaseSuffix, c.owner, leaseLife)
		return err
	})
	return won, err
}

// release need not succeed: the lease ends by itself. do reports the error.
func (c *storeCall) release(ctx context.Context) {
	_ = c.do(ctx, func(ctx context.Context) error {
		return c.store.Release(ctx, c.name+leaseSuffix, c.owner)
	})
}

// put stores a token for as long as it is useful to any process. It need not succeed: the token was
// issued. do reports the error.
func (c *storeCall) put(ctx context.Context, t issuedToken) {
	life := time.Until(t.Expiry) - c.minLife
	if life < time.Second {
		return
	}
	sealed, err := c.sealer.seal(t)
	if err != nil {
		c.report(ctx, err)
		return
	}
	_ = c.do(ctx, func(ctx context.Context) error {
		return c.store.Put(ctx, c.name, sealed, life)
	})
}

// do calls the store unless it has just failed. Every failure, and the end of ctx, is
// errMintDirectly.
func (s *sharedStore) do(ctx context.Context, operation func(context.Context) error) error {
	if ctx.Err() != nil || !s.breaker.enter(time.Now()) {
		return errMintDirectly
	}
	limited, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := operation(limited)
	switch {
	case err == nil:
		s.breaker.succeeded()
		return nil
	case ctx.Err() != nil:
		s.breaker.abandoned()
	default:
		s.breaker.failed(time.Now())
		s.report(ctx, fmt.Errorf("%w: %w", ErrStore, err))
	}
	return errMintDirectly
}
