package token

import (
	"context"
	"errors"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Store shares tokens among processes, so that a fleet mints one per client, set of scopes and lifetime instead of one
// per process. contrib/redis is one for Redis and Valkey; any store with expiring keys and compare-and-delete will do.
//
// A store sees only names that are hashes and values that are encrypted. It need not be reliable: if it fails, tokens are
// minted directly, and [Source.Token] never fails because of it. Implementations must be safe for concurrent use, should
// give up within a fraction of a second, and must not change the byte slices that they are given.
type Store interface {
	// Get returns the value of key, or nil without an error if there is none or its life has ended.
	Get(ctx context.Context, key string) (value []byte, err error)
	// Put sets the value of key for life, which is positive, and replaces what was there.
	Put(ctx context.Context, key string, value []byte, life time.Duration) error
	// Lease makes owner the holder of a lease on key that ends after life, unless somebody else holds one, and reports
	// whether owner holds it now. An owner that holds it already keeps it, with its end as it was or later: the answer to a
	// first try may have been lost. Leases and values never have the same key.
	//
	// It is a lease for efficiency, not a lock: if it ends too early, that costs one token more.
	Lease(ctx context.Context, key, owner string, life time.Duration) (bool, error)
	// Release ends the lease on key if owner still holds it, and does nothing otherwise.
	Release(ctx context.Context, key, owner string) error
}

// Errors that the hook of [WithObserver] is told of. [Source.Token] never returns them: the token was minted instead.
var (
	// ErrStore says that the shared store failed. It is left alone for 1 to 30 s then.
	ErrStore = errors.New("token: the shared store failed")
	// ErrStoreValue says that the shared store held something that this client cannot have put there, or that was put
	// there under another key: during a change of keys, after a rotation, or because somebody tampers with it.
	ErrStoreValue = errors.New("token: unreadable value in the shared store")
	// ErrStoreKey says that the shared store was not used because the client's secret is so short that its encryption
	// could be guessed from what is stored. Give [WithStore] a key.
	ErrStoreKey = errors.New("token: the client's secret is too short to derive the key of the shared store from it")
)

// tokenData is a token as it was minted.
type tokenData struct {
	value   secret.String
	issued  time.Time
	expires time.Time
	scopes  []string
}

// origin tells where a token comes from.
type origin uint8

const (
	fromEndpoint origin = iota
	fromStore
)

// wanted describes the token that is asked for.
type wanted struct {
	key             string // everything that tells tokens apart: environment, project, client, sorted scopes, parameters
	project, client string
	secrets         []secret.String // of the client, the current one first

	// held is the token to be replaced, if there is one: a stored token must be another one that lives longer. A token
	// that was dropped though it lives has a zero time in held.expires: then any other one will do.
	held    tokenData
	minLife time.Duration // that a token must have left to be of use
}

func (w *wanted) accepts(t tokenData, now time.Time) bool {
	return t.expires.Sub(now) >= w.minLife && t.expires.After(w.held.expires) && !t.value.Equal(w.held.value)
}
