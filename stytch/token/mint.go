package token

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxLogins is how many pairs of client id and secret one refresh tries: one, and two more if
// Stytch refuses it.
const maxLogins = 3

// minter has Stytch issue tokens.
type minter struct {
	read      func(context.Context) (Credential, error) // the Credentials
	callbacks *callbacks
	endpoint  *endpoint
	budget    *budget
	accepted  acceptedSecret
	counters  *counters
	timeout   time.Duration // of reading credentials, and of all requests of one mint
}

// credential calls the Credentials, within the time of a mint, and checks the result.
func (m *minter) credential(ctx context.Context) (Credential, error) {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	cred, err := call(ctx, m.callbacks, m.accepted.redactor(), "Credentials", m.read)
	if err == nil {
		err = cred.check()
	}
	if err != nil {
		return Credential{}, fmt.Errorf("%w: %w", ErrCredentials, err)
	}
	return cred, nil
}

// minted is a token with the login that obtained it.
type minted struct {
	issuedToken
	by        login
	fromStore bool // another process obtained it
}

// storedFunc returns the stored token that a login obtained, if there is a useful one.
type storedFunc func(context.Context, login) (issuedToken, bool)

// mint requests one token with the first of logins. If Stytch refuses the secret, the credentials
// are read once more, because a rotation may just have happened, and every secret that they hold is
// tried once, after a look for what another process obtained with it.
func (m *minter) mint(ctx context.Context, logins []login, r request, stored storedFunc) (minted, error) {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	t, err := m.login(ctx, logins[0], r)
	if !errors.Is(err, ErrInvalidClient) {
		return t, err
	}
	tried := logins[:1:1]
	if again, readErr := m.credential(ctx); readErr == nil {
		logins = append(m.accepted.logins(again), logins...)
	}
	for _, l := range logins {
		if len(tried) == maxLogins {
			break
		}
		if slices.ContainsFunc(tried, l.equal) {
			continue
		}
		tried = append(tried, l)
		if t, ok := stored(ctx, l); ok {
			m.accepted.set(l.secret)
			return minted{t, l, true}, nil
		}
		if t, err = m.login(ctx, l, r); !errors.Is(err, ErrInvalidClient) {
			break
		}
	}
	return t, err
}

// login sends one request, if the budget allows it.
func (m *minter) login(ctx context.Context, l login, r request) (minted, error) {
	if err := m.budget.take(ctx); err != nil {
		m.counters.overBudget.Add(1)
		return minted{}, err
	}
	m.counters.requests.Add(1)
	t, billed, err := m.endpoint.issue(ctx, l, r)
	if !billed {
		m.budget.refund()
	}
	if err != nil {
		return minted{}, err
	}
	m.counters.minted.Add(1)
	m.accepted.set(l.secret)
	return minted{issuedToken: t, by: l}, nil
}
