package rotate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Delivery is what the place of a deliverer must hold from now on. It prints without the secrets.
type Delivery struct {
	RotationID string // the same for each delivery of one next secret: part of an idempotency key
	ClientID   string
	Secret     secret.String // the one to use
	Previous   secret.String // the other one that is still accepted; zero outside of a rotation
}

// Deliverer brings secrets to where they are used: a file, a secret manager, a program. Package
// deliver has some.
//
// Deliver makes the place hold exactly d, durably, before it returns nil. It is called again with
// the same or another Delivery after a crash, after a failure, after the completion (without the
// previous secret) and for a cancellation (with the current secret), so it must be idempotent and
// depend on d alone. An error leaves both secrets working. It must return when ctx ends, must not
// put secrets into its error, and must be safe for concurrent use with different clients.
type Deliverer interface {
	Deliver(ctx context.Context, d Delivery) error
}

// Reader is a [Deliverer] whose place can be read. The rotation finds the current secret there, and
// reads each delivery back before it relies on it.
//
// Read gives one of three answers, and must not confuse them. The place holds a secret of the
// client: the Delivery. That of another client is an error. The place can be read and holds none:
// the zero Delivery and no error, as for a file that is missing in a folder that exists. The place
// cannot be read: an error, as for a folder, a namespace or a mount that does not exist or is not
// the kind that it should be; what the place holds is then not known.
type Reader interface {
	Read(ctx context.Context, clientID string) (Delivery, error)
}

// Checker is a [Deliverer] that can show in advance that it will work. A rotation checks all places
// before it begins, and does not begin if one of them fails.
//
// Check returns nil if the place can be read and written for this client now, as far as that can be
// shown without changing what the place holds: by asking for permissions, by a dry run, by a
// temporary file beside the real one. Like Deliver, it must return when ctx ends, must not put
// secrets into its error, and must be safe for concurrent use.
type Checker interface {
	Check(ctx context.Context, clientID string) error
}

// DelivererFunc is a function that is a [Deliverer].
type DelivererFunc func(ctx context.Context, d Delivery) error

// Deliver calls f.
func (f DelivererFunc) Deliver(ctx context.Context, d Delivery) error { return f(ctx, d) }

// Deliverers is several deliverers, each under a name that the journal remembers: after a partial
// failure only those that have not succeeded are called again.
type Deliverers map[string]Deliverer

// Deliver calls all of them in the order of their names, up to the first error. A [Rotator] calls
// each of them itself.
func (ds Deliverers) Deliver(ctx context.Context, d Delivery) error {
	for _, n := range named(ds) {
		if err := n.Deliver(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// Check checks all of them that are a [Checker]. The error names each one that failed.
func (ds Deliverers) Check(ctx context.Context, clientID string) error {
	var failed []error
	for _, n := range named(ds) {
		c, ok := n.Deliverer.(Checker)
		if !ok {
			continue
		}
		if err := c.Check(ctx, clientID); err != nil {
			failed = append(failed, n.failed(err))
		}
	}
	return errors.Join(failed...)
}

// namedDeliverer is a deliverer under the name that the journal has for it.
type namedDeliverer struct {
	name string
	Deliverer
}

func (d namedDeliverer) reads() bool {
	_, ok := d.Deliverer.(Reader)
	return ok
}

func (d namedDeliverer) checks() bool {
	_, ok := d.Deliverer.(Checker)
	return ok
}

// failed is an error of a deliverer.
func (d namedDeliverer) failed(err error) error {
	return fmt.Errorf("%w: %s: %w", ErrDelivery, d.name, err)
}

// named is the deliverers in the order of their names.
func named(d Deliverer) []namedDeliverer {
	several, ok := d.(Deliverers)
	if !ok {
		return []namedDeliverer{{"deliverer", d}}
	}
	var all []namedDeliverer
	for _, name := range slices.Sorted(maps.Keys(several)) {
		all = append(all, namedDeliverer{name, several[name]})
	}
	return all
}
