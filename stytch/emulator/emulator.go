package emulator

import (
	"fmt"
	"iter"
	"net/http"
)

// An Emulator is one Stytch project in memory, as an [http.Handler]. Create it with [New]. It is
// safe for concurrent use. It starts no goroutine, opens no port and reads no file, so it needs no
// Close.
type Emulator struct {
	service service
	routes  *router
}

// New returns a project that is empty unless options add clients or apps. It fails with an error
// matching [ErrInvalidArgument] if an option is nil or its value cannot be used; no error contains
// a secret. The signing key is generated later, for the first token or key set.
func New(opts ...Option) (*Emulator, error) {
	set, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	return set.newEmulator()
}

func (set *settings) newEmulator() (*Emulator, error) {
	state, err := set.open()
	if err != nil {
		return nil, err
	}
	e := &Emulator{service: service{
		state: state, faults: &faultPlan{}, log: &requestLog{clock: state.clock, observer: set.observer},
	}}
	for _, fault := range set.faults {
		e.service.faults.add(fault)
	}
	e.routes = e.service.routes()
	return e, nil
}

// ServeHTTP responds to one request. A fault that ends the connection hijacks it from w, or panics
// with [http.ErrAbortHandler] if w does not support that, as [http.Server] expects. Any other
// caller must recover that panic.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.routes.ServeHTTP(w, r) }

// Trusted returns a handler with the same routes for callers in the same process, such as a
// console: it checks no credentials of the project, and its requests neither meet faults nor appear
// in the request log. Do not let a network reach it.
func (e *Emulator) Trusted() http.Handler {
	trusted := service{state: e.service.state}
	return trusted.routes()
}

// Credentials returns the id and the secret of the project: the user name and the password of HTTP
// Basic.
func (e *Emulator) Credentials() (projectID, secret string) {
	return e.service.state.id, e.service.state.reveal()
}

// TokensMinted returns how many access tokens were issued to a client, or to all clients for "".
// Tokens whose response was dropped by a fault count: Stytch would bill them.
func (e *Emulator) TokensMinted(clientID string) int { return e.service.state.minted.count(clientID) }

// MintedBy returns how many access tokens were issued to each client: the bill. Deleted clients are
// included.
func (e *Emulator) MintedBy() map[string]int { return e.service.state.minted.all() }

// Requests returns the last 1,024 requests, oldest first. A request is listed before its response
// is sent.
func (e *Emulator) Requests() []Request { return e.service.log.all() }

// Inject adds a fault and returns a function that removes it, which may be called more than once.
// It panics with an error matching [ErrInvalidArgument] if the fault is invalid: a fault that never
// applies would let a test pass for the wrong reason.
func (e *Emulator) Inject(f Fault) (remove func()) {
	if err := f.check(); err != nil {
		panic(err)
	}
	id := e.service.faults.add(f)
	return func() { e.service.faults.remove(id) }
}

// AddFault is [Emulator.Inject] for faults that come from elsewhere: it returns an error matching
// [ErrInvalidArgument] instead of panicking, and the id of the fault.
func (e *Emulator) AddFault(f Fault) (id string, err error) {
	if err := f.check(); err != nil {
		return "", err
	}
	return e.service.faults.add(f), nil
}

// Faults returns the faults in the order in which they apply. A fault stays when it has applied for
// the last time, until it is removed.
func (e *Emulator) Faults() []ActiveFault { return e.service.faults.list() }

// TakeFaults replaces the faults with those of another emulator, as they are now: with their ids
// and counts. A server that replaces its emulator keeps them this way.
func (e *Emulator) TakeFaults(from *Emulator) { e.service.faults.take(from.service.faults) }

// RemoveFault removes a fault and reports whether there was one with this id.
func (e *Emulator) RemoveFault(id string) bool { return e.service.faults.remove(id) }

// Sign signs any claims with the current signing key, including those that Stytch would never
// issue. It fails with an error matching [ErrInvalidArgument] if the claims cannot be encoded as
// JSON.
func (e *Emulator) Sign(claims map[string]any) (string, error) {
	var p pending
	token, err := e.service.state.keys.sign(&p, claims)
	if err != nil {
		return "", err
	}
	return token, e.service.state.store.settle(&p)
}

// RotateSigningKey generates a new signing key and returns its id. Earlier keys stay listed, so
// that their tokens remain valid, until [Emulator.RetireSigningKey]. It takes a few hundred
// milliseconds. It panics with an error matching [ErrStorage] if the storage fails.
func (e *Emulator) RotateSigningKey() (kid string) {
	var p pending
	kid, err := e.service.state.keys.rotate(&p)
	if err == nil {
		err = e.service.state.store.settle(&p)
	}
	if err != nil {
		panic(fmt.Errorf("emulator: RotateSigningKey: %w", err)) // or the system has no randomness
	}
	return kid
}

// RetireSigningKey removes a key from the key set. It fails with an error matching
// [ErrInvalidArgument] for the current key and for one that is not listed.
func (e *Emulator) RetireSigningKey(kid string) error {
	var p pending
	if err := e.service.state.keys.retire(&p, kid); err != nil {
		return err
	}
	return e.service.state.store.settle(&p)
}

// Keys returns the listed signing keys, oldest first. There is none before the first token or key
// set, unless [WithSigningKey] or a storage has one.
func (e *Emulator) Keys() []Key {
	listed := e.service.state.keys.all()
	keys := make([]Key, len(listed))
	for i, key := range listed {
		keys[i] = Key{key.kid, key.created, i == len(listed)-1}
	}
	return keys
}

// Behavior returns the behavior in effect, with its defaults filled in.
func (e *Emulator) Behavior() Behavior { return e.service.state.switches.load() }

// SetBehavior replaces the behavior; see [WithBehavior]. Requests in progress keep the one that
// they began with. It fails with an error matching [ErrInvalidArgument] if a value is not accepted,
// and with one matching [ErrStorage] if it could not be stored.
func (e *Emulator) SetBehavior(b Behavior) error {
	var p pending
	if err := e.service.state.switches.set(&p, b); err != nil {
		return err
	}
	return e.service.state.store.settle(&p)
}

// Records returns a consistent snapshot of the state, for an export: a [Storage] that loads these
// records gives the same project. [Record.HasSecret] marks those that others must not see; without
// them, [WithProject] has to provide the secret, and the project gets a new signing key.
func (e *Emulator) Records() iter.Seq[Record] { return e.service.state.snapshot() }
