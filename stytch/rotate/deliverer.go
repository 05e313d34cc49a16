package rotate

import (
	"context"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Delivery is what a place where a secret is kept must hold from now on. It prints without the secrets.
type Delivery struct {
	RotationID string // the same for each delivery of one next secret: part of an idempotency key
	ClientID   string
	Secret     secret.String // to be used
	Previous   secret.String // still accepted; the zero value if there is none: not before the rotation, not after it
}

// Deliverer brings secrets to where they are used: a file, a secret manager, a program. Package deliver has some.
//
// Deliver makes the place hold exactly what d says, durably, before it returns nil. It is called again with the same or another
// Delivery after a crash, a failure, the completion (without the previous secret) and a cancellation (with the former one), so it
// must be idempotent and must go by d alone. An error leaves both secrets working. It must return when ctx ends, must not hold
// secrets in its error, and must be safe for concurrent use with different clients.
type Deliverer interface {
	Deliver(ctx context.Context, d Delivery) error
}

// Reader is a [Deliverer] that can tell what its place holds. Then the current secret is found there, and each delivery is
// read back before anything relies on it. Of a client for which the place holds nothing it returns the zero Delivery.
type Reader interface {
	Read(ctx context.Context, clientID string) (Delivery, error)
}

// DelivererFunc is a function that is a [Deliverer].
type DelivererFunc func(ctx context.Context, d Delivery) error

// Deliver calls f.
func (f DelivererFunc) Deliver(ctx context.Context, d Delivery) error { return f(ctx, d) }

// Deliverers is several deliverers, each under a name that the journal remembers: after a partial failure only those that
// have not succeeded are called again. The current secret is read from the first [Reader] in the order of the names.
type Deliverers map[string]Deliverer

// Deliver delivers to all, in the order of their names. A [Rotator] does not use it but calls each by itself.
func (ds Deliverers) Deliver(ctx context.Context, d Delivery) error {
	for _, n := range named(ds) {
		if err := n.Deliver(ctx, d); err != nil {
			return err
		}
	}
	return nil
}
