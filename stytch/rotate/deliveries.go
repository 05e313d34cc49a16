package rotate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// patience is how long a deliverer may take to notice that its time is over.
const patience = time.Second

// failure is an error of what the caller provided, for which a rotation may be given up.
type failure struct{ cause error }

func (e *failure) Error() string { return e.cause.Error() }
func (e *failure) Unwrap() error { return e.cause }

// missing are the deliverers that do not have the next secret, as far as the journal knows.
func (w *work) missing() []namedDeliverer {
	return slices.DeleteFunc(slices.Clone(w.r.deliverers), func(d namedDeliverer) bool { return slices.Contains(w.rec.Delivered, d.name) })
}

// deliver gives the next secret to those that do not have it, and remembers each that took it.
func (w *work) deliver(ctx context.Context) error {
	var failures []error
	missing := w.missing()
	for i, d := range missing {
		if err := w.deliverTo(ctx, d, Delivery{Secret: w.rec.Next, Previous: w.rec.Current}); err != nil {
			failures = append(failures, err)
			continue
		}
		rec := w.rec.clone()
		rec.Delivered = append(rec.Delivered, d.name)
		if i == len(missing)-1 && len(failures) == 0 {
			rec.State = Delivered
		}
		if err := w.write(ctx, rec); err != nil {
			return errors.Join(append(failures, err)...)
		}
	}
	if len(missing) == 0 { // there are fewer than before
		return w.advance(ctx, Delivered)
	}
	return errors.Join(failures...)
}

// deliverAll tells all deliverers, whatever they have, and reads it back. It is repeated as a whole after a failure.
func (w *work) deliverAll(ctx context.Context, what Delivery) error {
	var failures []error
	for _, d := range w.r.deliverers {
		err := w.deliverTo(ctx, d, what)
		if err == nil {
			err = w.readBack(ctx, d, what.Secret)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

func (w *work) deliverTo(ctx context.Context, d namedDeliverer, what Delivery) error {
	if err := w.keep(ctx); err != nil {
		return err
	}
	what.ClientID, what.RotationID = w.rec.ClientID, w.rec.RotationID
	if w.rec.Restarts > 0 { // another secret than before the restart
		what.RotationID = fmt.Sprintf("%s-%d", w.rec.RotationID, w.rec.Restarts)
	}
	err := w.bounded(ctx, func(ctx context.Context) error { return d.Deliver(ctx, what) })
	return w.ofDeliverer(d.name, err)
}

// verify reads back what can be read, and so relies on what the places hold and not on what the deliverers said. A place
// that holds something else is delivered to again.
func (w *work) verify(ctx context.Context) error {
	for _, d := range w.r.deliverers {
		err := w.readBack(ctx, d, w.rec.Next)
		if errors.Is(err, errLie) {
			return errors.Join(err, w.advance(ctx, Started, func(r *Record) {
				r.Delivered = slices.DeleteFunc(r.Delivered, func(name string) bool { return name == d.name })
			}))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errLie is what is wrong with a deliverer that says yes and does something else.
var errLie = errors.New("it gave back another secret than it was given")

func (w *work) readBack(ctx context.Context, d namedDeliverer, want secret.String) error {
	reader, ok := d.Deliverer.(Reader)
	if !ok {
		return nil
	}
	held, err := w.read(ctx, d.name, reader)
	if err == nil && !held.Secret.Equal(want) {
		err = w.ofDeliverer(d.name, errLie)
	}
	return err
}

func (w *work) read(ctx context.Context, name string, reader Reader) (Delivery, error) {
	if err := w.keep(ctx); err != nil {
		return Delivery{}, err
	}
	result := make(chan Delivery, 1) // not shared with a reader that returns too late
	err := w.bounded(ctx, func(ctx context.Context) error {
		held, err := reader.Read(ctx, w.rec.ClientID)
		result <- held
		return err
	})
	var held Delivery
	select {
	case held = <-result:
		w.hear(held.Secret, held.Previous)
	default:
	}
	if err != nil {
		return Delivery{}, w.ofDeliverer(name, err)
	}
	return held, nil
}

// keep makes sure that the claim outlasts a delivery.
func (w *work) keep(ctx context.Context) error {
	if err := w.renew(ctx); err != nil {
		return err
	}
	return w.holds(w.r.deliverTimeout)
}

// bounded returns when the time for a delivery is over, even if what it calls does not.
func (w *work) bounded(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, w.r.deliverTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- call(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done: // both at once, or it heeds its context
		return err
	case <-time.After(patience):
		return fmt.Errorf("it did not return: %w", ctx.Err())
	}
}

// ofDeliverer names the deliverer and keeps the secrets out of what it said.
func (w *work) ofDeliverer(name string, err error) error {
	if err == nil {
		return nil
	}
	return &failure{fmt.Errorf("%w: %s: %w", ErrDelivery, name, scrub(err, w.heard...))}
}
