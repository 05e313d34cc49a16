package instance

import (
	"errors"
	"fmt"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// The methods of this file change the emulator that serves now. They hold i.mu, so that a reset in
// between loses none of them.

// WarmUp generates the first signing key, which takes up to a second, so that the first token does
// not wait for it.
func (i *Instance) WarmUp() {
	if e := i.current.Load(); len(e.Keys()) == 0 {
		_, _ = e.Sign(map[string]any{}) // the next call that needs a key reports what failed
	}
}

// RotateKey generates a signing key and returns its id.
func (i *Instance) RotateKey() (kid string, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			failed, ok := p.(error)
			if !ok || !errors.Is(failed, emulator.ErrStorage) {
				panic(p)
			}
			err = failed
		}
	}()
	return i.current.Load().RotateSigningKey(), nil
}

// RemoveKey removes a key that no longer signs from the key set.
func (i *Instance) RemoveKey(kid string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	e := i.current.Load()
	for _, k := range e.Keys() {
		switch {
		case k.ID != kid:
		case k.Current:
			return fmt.Errorf("%w: this key signs: rotate first. Nothing was changed.", ErrConflict) //nolint:staticcheck // sentences for people
		default:
			return e.RetireSigningKey(kid)
		}
	}
	return fmt.Errorf("%w: the key set has no key with this id. Nothing was changed.", ErrNotFound) //nolint:staticcheck // sentences for people
}

// AddFault makes an operation fail.
func (i *Instance) AddFault(f emulator.Fault) (emulator.ActiveFault, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	e := i.current.Load()
	id, err := e.AddFault(f)
	if err != nil {
		return emulator.ActiveFault{}, refusal(err)
	}
	for _, added := range e.Faults() {
		if added.ID == id {
			return added, nil
		}
	}
	return emulator.ActiveFault{}, fmt.Errorf("%w: another caller removed the fault", ErrConflict)
}

// PatchBehavior changes the behavior by a function that sees the present one.
func (i *Instance) PatchBehavior(change func(*emulator.Behavior) error) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	e := i.current.Load()
	b := e.Behavior()
	if err := change(&b); err != nil {
		return invalid("%w. Nothing was changed.", err)
	}
	return refusal(e.SetBehavior(b))
}

// A Summary counts what a project has.
type Summary struct {
	ProjectID                               string
	M2MClients, ConnectedApps, Keys, Faults int
}

// Summary counts. It takes time in proportion to the project.
func (i *Instance) Summary() Summary {
	e := i.current.Load()
	id, _ := e.Credentials()
	s := Summary{ProjectID: id, Keys: len(e.Keys()), Faults: len(e.Faults())}
	for r := range e.Records() {
		switch r.Kind {
		case "m2m_client":
			s.M2MClients++
		case "connected_app":
			s.ConnectedApps++
		}
	}
	return s
}
