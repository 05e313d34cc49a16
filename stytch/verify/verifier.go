package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stytchkit/m2m/internal/jwks"
	"github.com/stytchkit/m2m/internal/project"
)

// A Verifier verifies the tokens of one project and of one kind. It is safe for concurrent use.
// Make one and keep it.
type Verifier struct {
	maxBytes   int
	clock      func() time.Time // nil: time.Now
	signatures signatures
	policy     policy
	cache      *cache        // nil: none
	active     *activeChecks // nil: none
	watch      *watch
}

// New makes a verifier for the M2M tokens of a project, or for another kind by option. It uses no
// network and starts nothing: keys are fetched when the first token needs one.
//
// The project id is project-test- or project-live-, then letters, digits and hyphens, at most 256
// bytes. A bad id or option is [ErrInvalidArgument].
func New(projectID string, options ...Option) (*Verifier, error) {
	if err := project.CheckID(projectID); err != nil {
		return nil, invalid("New", err.Error())
	}
	s := defaults(projectID)
	for i, option := range options {
		if option == nil {
			return nil, invalid("New", fmt.Sprintf("option %d is nil", i+1))
		}
		if err := option(&s); err != nil {
			return nil, err
		}
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	v := &Verifier{
		maxBytes: s.maxBytes, clock: s.clock, policy: newPolicy(projectID, &s), cache: newCache(s.cacheEntries),
		watch: newWatch(s.observer),
	}
	v.signatures.keys = s.newKeys(projectID, v.cache.clear, v.watch)
	if s.activeCheck != nil {
		v.active = newActiveChecks(s.activeCheck, v.watch)
	}
	return v, nil
}

// Verify verifies a token, given without the word Bearer, and then runs the checks in their order.
// Its errors are listed at [ErrMalformed]; with an error, the claims are zero. ctx matters only if
// a key has to be fetched or a client looked up.
func (v *Verifier) Verify(ctx context.Context, raw string, checks ...Check) (Claims, error) {
	claims, err := v.verify(ctx, raw, checks)
	if err != nil {
		return Claims{}, err
	}
	return *claims, nil
}

// VerifyHeader is [Verifier.Verify] for the values of a request's Authorization header, see
// [BearerToken]. [Verifier.Require] does the same: use VerifyHeader in middleware of your own, so
// that requests without a token are reported and counted like all others.
func (v *Verifier) VerifyHeader(ctx context.Context, values []string, checks ...Check) (Claims, error) {
	raw, err := BearerToken(values)
	if err == nil {
		return v.Verify(ctx, raw, checks...)
	}
	if v == nil || v.watch == nil {
		return Claims{}, errZero
	}
	v.watch.refuse(ctx, "", nil, err)
	return Claims{}, err
}

// verify is Verify. All callers with the same token may get the same claims, so these must not
// leave this package.
func (v *Verifier) verify(ctx context.Context, raw string, checks []Check) (*Claims, error) {
	if v == nil || v.watch == nil {
		return nil, errZero
	}
	claims, err := v.judge(ctx, raw, checks)
	if err != nil {
		v.watch.refuse(ctx, raw, claims, err)
		return nil, err
	}
	return claims, nil
}

// judge verifies a token. With an error, it returns the claims of a token whose signature is good,
// as far as they are known, and nil for any other.
func (v *Verifier) judge(ctx context.Context, raw string, checks []Check) (*Claims, error) {
	if len(raw) == 0 || len(raw) > v.maxBytes {
		return nil, errLength
	}
	d, ok := split(raw)
	if !ok {
		return nil, errShape
	}
	now := time.Now()
	set := v.signatures.keys.Current(now)
	if v.clock != nil {
		now = v.clock()
	}
	print := v.cache.fingerprint(raw)
	e := v.cache.get(&print, set)
	known := e != nil
	if !known {
		var err error
		if e, err = v.open(ctx, raw, d, set); err != nil {
			return e.claims(), err
		}
		if set == nil || e.keySet != set.Version { // keys were waited for
			now = v.now()
		}
	}
	err := v.policy.check(&e.Claims, now)
	switch {
	case known && errors.Is(err, ErrExpired):
		v.cache.remove(e)
	case !known && err == nil:
		e.print = print
		v.cache.put(e)
	}
	if err != nil {
		return &e.Claims, err
	}
	for _, check := range checks {
		if check == nil {
			return &e.Claims, errNilCheck
		}
		if err := check(e.Claims, now); err != nil {
			return &e.Claims, err
		}
	}
	if v.active != nil {
		if err := v.active.check(ctx, e.ClientID); err != nil {
			return &e.Claims, err
		}
	}
	return &e.Claims, nil
}

// open checks the signature of a token and reads its claims. If the signature is good and the
// claims are not, it returns an entry with the error.
func (v *Verifier) open(ctx context.Context, raw string, d dots, atHand *jwks.Set) (*entry, error) {
	s := scratches.Get().(*scratch)
	defer s.release()
	set, err := v.signatures.open(ctx, s, raw, d, atHand)
	if err != nil {
		return nil, err
	}
	e := &entry{keySet: set.Version}
	if err := v.policy.read(s, &e.Claims); err != nil {
		return e, err
	}
	return e, nil
}

// claims returns nil if e is nil.
func (e *entry) claims() *Claims {
	if e == nil {
		return nil
	}
	return &e.Claims
}

func (v *Verifier) now() time.Time {
	if v.clock != nil {
		return v.clock()
	}
	return time.Now()
}

// Close stops the background work and waits for it: a fetch of keys, and lookups of clients. A
// function that ignores its context is left behind after 2 s. After it, tokens are still verified
// with the keys in place until these are too old. It may be called more than once, and always
// returns nil.
func (v *Verifier) Close() error {
	if v == nil || v.watch == nil {
		return nil
	}
	err := v.signatures.keys.Close()
	if v.active != nil {
		v.active.close()
	}
	return err
}
