package token

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stytchkit/m2m/internal/seal"
	"github.com/stytchkit/m2m/internal/sleep"
	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	leaseLife    = 9 * time.Second        // longer than a mint usually takes; then the next process mints, as it does if the holder crashed
	mintTime     = time.Second            // that the next process gets after a lease has ended
	takeOverLife = 2 * time.Second        // of the lease that counts after a lease was held too long
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
	baseURL, project string
	request          request
	logins           []login // that may obtain it, the most promising first

	// replaced is the token to replace, if there is one: a stored one must be different and expire
	// later. If it was dropped, its Expiry is the zero time, and any other token will do.
	replaced issuedToken
	minLife  time.Duration // that a token must have left to be useful
}

// cacheKey is all that distinguishes the tokens of one client from others.
func (w *wanted) cacheKey(client string) string {
	return cacheKey(w.baseURL, w.project, client, w.request.scopes, w.request.parameters)
}

func (w *wanted) accepts(t issuedToken, now time.Time) bool {
	return t.Expiry.Sub(now) >= w.minLife && t.Expiry.After(w.replaced.Expiry) && !t.Value.Equal(w.replaced.Value)
}

// mintFunc has the endpoint issue a token. It limits its own time. Credentials may change
// meanwhile, so it asks the store once more before it uses another login than the first.
type mintFunc func(context.Context, storedFunc) (minted, error)

// token returns a stored token that w accepts. If there is none, one process mints and the others
// wait for what it stores. It calls mint at most once, and its error is that of mint or of ctx,
// never that of the store. Apart from mint and the operations of the store, it takes at most
// leaseLife, takeOverLife, and twice mintTime.
func (s *sharedStore) token(ctx context.Context, w wanted, mint mintFunc) (t issuedToken, fromStore bool, err error) {
	c := storeCall{sharedStore: s, wanted: w, mint: mint, owner: rand.Text()}
	for _, l := range w.logins {
		c.entries = append(c.entries, c.entriesOf(ctx, l)...)
	}
	t, fromStore, err = c.throughStore(ctx)
	if !errors.Is(err, errMintDirectly) {
		return t, fromStore, err
	}
	if err := ctx.Err(); err != nil {
		return issuedToken{}, false, err
	}
	return c.mintAndShare(ctx)
}

// errMintDirectly: the store cannot help, and nothing was minted.
var errMintDirectly = errors.New("mint directly")

// storeCall is one call of token.
type storeCall struct {
	*sharedStore
	wanted
	mint     mintFunc
	entries  []*entry // where the token may be stored, the most promising first
	owner    string   // of the lease
	reported bool     // that a stored value is unreadable
}

// entriesOf are the entries that may hold the token that a login obtained. The first one is for
// writing. A secret that is too short to derive a key from has none.
func (c *storeCall) entriesOf(ctx context.Context, l login) (all []*entry) {
	sources := c.keys
	if len(sources) == 0 {
		sources = []secret.String{l.secret}
	}
	for _, source := range sources {
		e, err := newEntry(c.cacheKey(l.id), c.project, l.id, source)
		if err != nil {
			c.report(ctx, err)
			return nil
		}
		all = append(all, e)
	}
	return all
}

func (c *storeCall) throughStore(ctx context.Context) (t issuedToken, fromStore bool, err error) {
	if len(c.entries) == 0 {
		return issuedToken{}, false, errMintDirectly
	}
	// All processes that would use the same login first take the same lease.
	t, fromStore, err = c.underLease(ctx, lease{c.entries[0].name + leaseSuffix, leaseLife})
	if !errors.Is(err, errLeaseHeld) {
		return t, fromStore, err
	}
	// No lease lives that long. One process mints nevertheless; without a second lease, all would.
	c.report(ctx, ErrStoreLease)
	return c.underLease(ctx, lease{c.entries[0].name + takeOverSuffix, takeOverLife})
}

// lease is the right to mint while others wait.
type lease struct {
	name string
	life time.Duration
}

// errLeaseHeld: another process held the lease for longer than it lives, and stored nothing.
var errLeaseHeld = fmt.Errorf("%w: the lease is held", errMintDirectly)

// underLease mints if this process gets the lease, and otherwise waits for a stored token: until
// the lease must have ended, and the next process had time to mint.
func (c *storeCall) underLease(ctx context.Context, l lease) (t issuedToken, fromStore bool, err error) {
	deadline := time.Now().Add(l.life + mintTime)
	for {
		if t, ok, err := c.lookUp(ctx, c.entries); ok || err != nil {
			return t, ok, err
		}
		if won, err := c.take(ctx, l); err != nil {
			return issuedToken{}, false, err
		} else if won {
			return c.mintWithLease(ctx, l)
		}
		left := time.Until(deadline)
		if left <= 0 {
			return issuedToken{}, false, errLeaseHeld
		}
		if sleep.For(ctx, min(left, jitter(pollMin, pollMax))) != nil {
			return issuedToken{}, false, errMintDirectly
		}
	}
}

// mintWithLease is what the holder of the lease does.
func (c *storeCall) mintWithLease(ctx context.Context, l lease) (t issuedToken, fromStore bool, err error) {
	// However it ends: while the lease lasts, the other processes wait.
	defer c.release(context.WithoutCancel(ctx), l)

	// The previous holder may have stored its token after this process looked and before it got the
	// lease.
	if t, ok, err := c.lookUp(ctx, c.entries); ok || err != nil {
		return t, ok, err
	}
	return c.mintAndShare(ctx)
}

// mintAndShare stores the token under the login that obtained it, and encrypts it with the key of
// that login, so that a secret that Stytch no longer accepts does not read it.
func (c *storeCall) mintAndShare(ctx context.Context) (t issuedToken, fromStore bool, err error) {
	m, err := c.mint(ctx, func(ctx context.Context, l login) (issuedToken, bool) {
		t, ok, _ := c.lookUp(ctx, c.entriesOf(ctx, l)) // do reports the error
		return t, ok
	})
	if err != nil || m.fromStore {
		return m.issuedToken, m.fromStore, err
	}
	if entries := c.entriesOf(ctx, m.by); len(entries) > 0 {
		c.put(context.WithoutCancel(ctx), entries[0], m.issuedToken)
	}
	return m.issuedToken, false, nil
}

// lookUp reports whether one of the entries has a useful token. An unreadable one is not useful.
func (c *storeCall) lookUp(ctx context.Context, entries []*entry) (issuedToken, bool, error) {
	for _, e := range entries {
		if t, ok, err := c.read(ctx, e); ok || err != nil {
			return t, ok, err
		}
	}
	return issuedToken{}, false, nil
}

func (c *storeCall) read(ctx context.Context, e *entry) (issuedToken, bool, error) {
	var sealed []byte
	err := c.do(ctx, func(ctx context.Context) (err error) {
		sealed, err = c.store.Get(ctx, e.name)
		return err
	})
	if err != nil || sealed == nil {
		return issuedToken{}, false, err
	}
	t, err := e.open(sealed, time.Now())
	if err != nil {
		if !c.reported { // a process that waits looks many times
			c.reported = true
			c.report(ctx, err)
		}
		return issuedToken{}, false, nil
	}
	return t, c.accepts(t, time.Now()), nil
}

func (c *storeCall) take(ctx context.Context, l lease) (won bool, err error) {
	err = c.do(ctx, func(ctx context.Context) (err error) {
		won, err = c.store.Lease(ctx, l.name, c.owner, l.life)
		return err
	})
	return won, err
}

// release need not succeed: the lease ends by itself. do reports the error.
func (c *storeCall) release(ctx context.Context, l lease) {
	_ = c.do(ctx, func(ctx context.Context) error {
		return c.store.Release(ctx, l.name, c.owner)
	})
}

// put stores a token for as long as it is useful to any process. It need not succeed: the token was
// issued. do reports the error.
func (c *storeCall) put(ctx context.Context, e *entry, t issuedToken) {
	life := time.Until(t.Expiry) - c.minLife
	if life < time.Second {
		return
	}
	sealed, err := e.seal(t)
	if err != nil {
		c.report(ctx, err)
		return
	}
	_ = c.do(ctx, func(ctx context.Context) error {
		return c.store.Put(ctx, e.name, sealed, life)
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
		s.report(ctx, storeError(err))
	}
	return errMintDirectly
}

// storeError distinguishes an outage, which ends by itself, from a store that will refuse until its
// settings are changed.
func storeError(err error) error {
	switch {
	case errors.Is(err, ErrStoreRefused):
		return err
	case errors.Is(err, ErrInvalidArgument):
		return fmt.Errorf("%w: %w", ErrStoreRefused, err)
	}
	return fmt.Errorf("%w: %w", ErrStore, err)
}
