package rotate

import (
	"context"
	"fmt"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// patience is how long a deliverer may take to notice that its time is over.
const patience = time.Second

// deliver calls one deliverer. Its failure is the place's: the others are tried all the same.
func (t *rotation) deliver(ctx context.Context, i int, what Delivery) error {
	if err := t.claimLasts(ctx, t.deliveryTimeout); err != nil {
		return err
	}
	d := t.deliverers[i]
	at := place{given: true}
	if err := t.bounded(ctx, "Deliver", func(ctx context.Context) error { return d.Deliver(ctx, what) }); err != nil {
		at = place{err: d.failed(t.secrets.Error(err))}
	}
	t.sets(i, at)
	return nil
}

// readPlace asks a deliverer what its place holds.
func (t *rotation) readPlace(ctx context.Context, i int) error {
	if err := t.claimLasts(ctx, t.deliveryTimeout); err != nil {
		return err
	}
	at := t.o.places[i]
	at.read = true
	held, err := t.read(ctx, t.deliverers[i])
	at.held, at.err = held.Secret, err
	t.sets(i, at)
	return nil
}

func (t *rotation) sets(i int, at place) {
	if t.o.places == nil {
		t.o.places = map[int]place{}
	}
	t.o.places[i] = at
}

func (t *rotation) read(ctx context.Context, d namedDeliverer) (Delivery, error) {
	held, err := called(ctx, t, "Read", func(ctx context.Context) (Delivery, error) {
		return d.Deliverer.(Reader).Read(ctx, t.rec.ClientID)
	})
	t.trackSecret(held.Secret, held.Previous)
	if err == nil && held.ClientID != "" && held.ClientID != t.rec.ClientID {
		err = fmt.Errorf("the place holds the secret of another client (%.256q)", held.ClientID)
	}
	if err != nil {
		return Delivery{}, d.failed(t.secrets.Error(err))
	}
	return held, nil
}

// askSource asks a source for the current secret.
func (t *rotation) askSource(ctx context.Context, source int) error {
	if err := t.claimLasts(ctx, t.deliveryTimeout); err != nil {
		return err
	}
	t.o.hears(t.answerOf(ctx, source))
	return nil
}

func (t *rotation) answerOf(ctx context.Context, source int) answer {
	a := answer{source: source, asked: t.moment()}
	if source != fromCaller {
		held, err := t.read(ctx, t.deliverers[source])
		a.secret, a.previous, a.err = held.Secret, held.Previous, err
		return a
	}
	a.secret, a.err = called(ctx, t, "WithCurrent", func(ctx context.Context) (secret.String, error) { return t.current(ctx, t.rec.ClientID) })
	t.trackSecret(a.secret)
	if a.err != nil {
		a.secret, a.err = secret.String{}, fmt.Errorf("the function of WithCurrent failed: %w", a.err)
	}
	return a
}

// checkPlace asks a deliverer whether its place works.
func (t *rotation) checkPlace(ctx context.Context, i int) error {
	if err := t.claimLasts(ctx, t.deliveryTimeout); err != nil {
		return err
	}
	if t.o.checks == nil {
		t.o.checks = map[int]error{}
	}
	t.o.checks[i] = t.check(ctx, t.deliverers[i])
	return nil
}

func (t *rotation) check(ctx context.Context, d namedDeliverer) error {
	err := t.bounded(ctx, "Check", func(ctx context.Context) error { return d.Deliverer.(Checker).Check(ctx, t.rec.ClientID) })
	if err != nil {
		return d.failed(t.secrets.Error(err))
	}
	return nil
}

// checkReady asks the caller whether all services have the next secret.
func (t *rotation) checkReady(ctx context.Context) error {
	yes, err := called(ctx, t, "WithReady", func(ctx context.Context) (bool, error) { return t.ready(ctx, t.rec.ClientID) })
	if err != nil {
		return fmt.Errorf("the function of WithReady failed: %w", err)
	}
	t.o.ready = notReady
	if yes {
		t.o.ready = ready
	}
	return nil
}

// called is what a function of the caller returned. What it sets after its time is over is not
// seen.
func called[T any](ctx context.Context, t *rotation, name string, f func(context.Context) (T, error)) (result T, err error) {
	results := make(chan T, 1)
	err = t.bounded(ctx, name, func(ctx context.Context) error {
		result, err := f(ctx)
		results <- result
		return err
	})
	select {
	case result = <-results:
	default:
	}
	return result, err
}

// bounded returns when the time for a delivery is over, even if what it calls does not.
func (t *rotation) bounded(ctx context.Context, name string, call func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, t.deliveryTimeout)
	defer cancel()
	returned := make(chan error, 1)
	go func() {
		err := errExited
		defer func() { returned <- err }()
		err = safely(name, func() error { return call(bounded) })
	}()
	select {
	case err := <-returned:
		return t.caught(ctx, err)
	case <-bounded.Done():
	}
	select {
	case err := <-returned: // both at once, or it heeds its context
		return t.caught(ctx, err)
	case <-time.After(patience):
		return fmt.Errorf("it did not return in time: %w", bounded.Err())
	}
}
