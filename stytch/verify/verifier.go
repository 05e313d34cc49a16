package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/stytchkit/m2m/internal/jwks"
)

// A Verifier verifies the tokens of one project and of one kind. It is safe for concurrent use. Make one and keep it.
type Verifier struct {
	config
	keys         *jwks.Cache
	cache        *cache // nil: none
	header       atomic.Pointer[knownHeader]
	active       *activity
	clientPrefix string // of M2M clients of the project's environment
	appPrefixes  []string
	userPrefixes []string
}

// New makes a verifier for the M2M tokens of a project, or for another kind by option. It uses no network and starts nothing:
// keys are fetched when the first token needs one. A project id or option with a bad value is an error.
func New(projectID string, options ...Option) (*Verifier, error) {
	if err := checkProjectID(projectID); err != nil {
		return nil, err
	}
	v := &Verifier{config: defaults(projectID)}
	for i, option := range options {
		if option == nil {
			return nil, invalid("New", fmt.Sprintf("option %d is nil", i+1))
		}
		if err := option(&v.config); err != nil {
			return nil, err
		}
	}
	if err := v.config.check(); err != nil {
		return nil, err
	}
	environment := environmentOf(projectID) + "-"
	v.clientPrefix = "m2m-client-" + environment
	v.appPrefixes = []string{"connected-app-" + environment, "idp-client-" + environment} // the latter on older pages
	v.userPrefixes = []string{"user-" + environment, "member-" + environment}
	v.cache = newCache(v.cacheEntries)
	if v.activeCheck != nil {
		v.active = newActivity(v.activeCheck)
	}
	v.keys = jwks.New(jwks.Config{
		URL: v.keyAddress(projectID), Transport: v.transport, Timeout: v.fetchTimeout, Seed: v.seed, Offline: v.offline,
		MaxStale: v.maxStale, Observe: v.observeKeys, Changed: v.cache.clear,
	})
	return v, nil
}

// Verify verifies a token, without the word Bearer before it, and then what the checks ask for. Its errors are in the list at
// [ErrMalformed]; with an error there are no claims. ctx matters only if a key has to be fetched or a client looked up.
func (v *Verifier) Verify(ctx context.Context, raw string, checks ...Check) (*Claims, error) {
	if len(raw) == 0 || len(raw) > v.maxBytes {
		return nil, errLength
	}
	p, ok := split(raw)
	if !ok {
		return nil, errShape
	}
	now := time.Now()
	set := v.keys.Current(now)
	if v.clock != nil {
		now = v.clock()
	}
	e := v.cache.get(raw, set)
	if e != nil {
		if err := v.judge(&e.Claims, now); err != nil {
			if errors.Is(err, ErrExpired) {
				v.cache.remove(raw)
			}
			return nil, err
		}
	} else {
		var err error
		if e, err = v.fresh(ctx, raw, p, set, now); err != nil {
			return nil, err
		}
	}
	for _, check := range checks {
		if err := check(&e.Claims, now); err != nil {
			return nil, err
		}
	}
	if v.active != nil {
		if err := v.active.check(ctx, e.ClientID); err != nil {
			return nil, err
		}
	}
	return &e.Claims, nil
}

// fresh verifies a token that is not in the cache, and puts it there.
func (v *Verifier) fresh(ctx context.Context, raw string, p parts, atHand *jwks.Set, now time.Time) (*entry, error) {
	s := scratches.Get().(*scratch)
	defer s.release()
	set, err := v.open(ctx, s, raw, p, atHand)
	if err != nil {
		return nil, err
	}
	e := new(entry)
	if err := v.read(s, &e.Claims); err != nil {
		return nil, err
	}
	if set != atHand { // keys were waited for
		now = v.now()
	}
	if err := v.judge(&e.Claims, now); err != nil {
		return nil, err
	}
	if v.cache != nil {
		s.hash.Write(s.raw[p.second:]) // what was signed is in it already
		s.sum = s.hash.Sum(s.sum[:0])
		e.sum, e.keySet = [sha256.Size]byte(s.sum), set.Version
		v.cache.put(raw, e)
	}
	return e, nil
}

// judge judges what may change while the token lives.
func (v *Verifier) judge(c *Claims, now time.Time) error {
	switch {
	case !now.Before(c.ExpiresAt.Add(v.leeway)):
		return errExpired
	case now.Add(v.leeway).Before(c.NotBefore):
		return errNotBefore
	case now.Add(v.leeway).Before(c.IssuedAt):
		return errIssuedAt
	case v.maxAge > 0 && now.Sub(c.IssuedAt) > v.maxAge:
		return errTooOld
	}
	return v.acceptsClient(c.ClientID)
}

func (v *Verifier) now() time.Time {
	if v.clock != nil {
		return v.clock()
	}
	return time.Now()
}

// Close ends what runs in the background and waits for it; at most one fetch of keys, and look-ups of clients, are ever under
// way. After it, tokens are still verified with the keys at hand until they are too old. It may be called more than once, and
// never fails.
func (v *Verifier) Close() error {
	v.keys.Close()
	if v.active != nil {
		v.active.close()
	}
	return nil
}

// unavailable is an [ErrKeysUnavailable] with what caused it.
type unavailable struct{ kind, cause error }

func (u *unavailable) Error() string   { return "verify: " + u.kind.Error() + ": " + u.cause.Error() }
func (u *unavailable) Unwrap() []error { return []error{u.kind, u.cause} }

func keyError(err error) error {
	if errors.Is(err, jwks.ErrUnknown) {
		return errKey
	}
	return &unavailable{ErrKeysUnavailable, err}
}
