package token

import (
	"context"
	"errors"
	"time"
)

// Store shares tokens among processes, so that a fleet mints one token per client, set of scopes
// and lifetime instead of one per process. Package contrib/redis implements it for Redis and
// Valkey; any store with expiring keys and compare-and-delete can.
//
// A store sees only names that are hashes and values that are encrypted. It need not be reliable:
// if it fails, tokens are minted directly, and [Source.Token] never fails because of it.
// Implementations must be safe for concurrent use, should give up within a fraction of a second,
// and must not change the byte slices that they are given. Package storetest tests them.
type Store interface {
	// Get returns the value of key, or nil without an error if there is none or its life has ended.
	Get(ctx context.Context, key string) (value []byte, err error)

	// Put sets the value of key for life, which is positive, and replaces any previous value.
	Put(ctx context.Context, key string, value []byte, life time.Duration) error

	// Lease makes owner the holder of the lease on key for life, unless another owner holds it, and
	// reports whether owner holds it now. A holder that asks again keeps its lease, which then ends
	// no earlier: the response to its first try may have been lost. Leases and values never share a
	// key.
	//
	// It saves tokens; it is not a lock. A lease that ends too early costs one more token.
	Lease(ctx context.Context, key, owner string, life time.Duration) (bool, error)

	// Release ends the lease on key if owner still holds it, and does nothing otherwise.
	Release(ctx context.Context, key, owner string) error
}

// Errors in events of the kind [StoreFailed]. [Source.Token] never returns them: it mints a token
// instead.
var (
	// ErrStore: the shared store failed. It is not used for the next 1 to 30 s.
	ErrStore = errors.New("token: shared store: failed")

	// ErrStoreRefused: the shared store refuses what the source needs of it, and will until its
	// settings are changed: a wrong password, a missing permission or command. It is reported once,
	// and again after the store has worked. Stores return errors that wrap it.
	ErrStoreRefused = errors.New("token: shared store: refused: change its settings")

	// ErrStoreLease: another process has held the lease for longer than a lease lives, and stored
	// no token: it hangs, or something keeps the lease from expiring. This process mints one and
	// stores it.
	ErrStoreLease = errors.New("token: shared store: a lease did not end: look for a key that does not expire")

	// ErrStoreValue: the stored value cannot be decrypted, or is not a token for this request: a
	// sign of tampering. Keys and secrets that are replaced do not cause it, since each has entries
	// of its own.
	ErrStoreValue = errors.New("token: shared store: unreadable value")

	// ErrStoreKey: the store was not used, because the client's secret is too short to derive a key
	// from: anyone who can read the store could guess it. Give [WithStore] a key. It is reported
	// once; [Stats] counts each time.
	ErrStoreKey = errors.New("token: shared store: the client's secret is too short to derive a key from: give WithStore a key")
)
