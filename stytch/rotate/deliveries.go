package rotate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// patience is how long a deliverer may take to notice that its time is over.
const patience = time.Second

// failure is an error of what the caller provided, for which a rotation may be given up.
type failure struct{ cause error }

func (e *failure) Error() string { return e.cause.Error() }
func (e *failure) Unwrap() error { return e.cause }

// deliver gives the next secret to those that do not have it, and remembers each that took it.
func (w *work) deliver(ctx context.Context) error {
	var failures []error
	for _, d := range w.r.deliverers {
		if slices.Contains(w.rec.Delivered, d.name) {
			continue
		}
		if err := w.deliverTo(ctx, d, Delivery{Secret: w.rec.Next, Previous: w.rec.Current}); err != nil {
			failures = append(failures, err)
			continue
		}
		rec := w.rec.clone()
		rec.Delivered = append(rec.Delivered, d.name)
		if len(rec.Delivered) == len(w.r.deliverers) {
			rec.State = Delivered
		}
		if err := w.write(ctx, rec); err != nil {
			return errors.Join(append(failures, err)...)
		}
	}
	if len(failures) == 0 && w.rec.State == Started { // all had it, or there are fewer than before
		return w.advance(ctx, Delivered)
	}
	return errors.Join(failures...)
}

// deliverAll tells all deliverers, whatever they have. It is repeated as a whole after a failure.
func (w *work) deliverAll(ctx context.Context, what Delivery) error {
	var failures []error
	for _, d := range w.r.deliverers {
		if err := w.deliverTo(ctx, d, what); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func (w *work) deliverTo(ctx context.Context, d namedDeliverer, what Delivery) error {
	if err := w.renew(ctx); err != nil {
		return err
	}
	what.ClientID, what.RotationID = w.rec.ClientID, w.rec.RotationID
	if w.rec.Restarts > 0 { // another secret than before the restart
		what.RotationID = fmt.Sprintf("%s-%d", w.rec.RotationID, w.rec.Restarts)
	}
	err := w.bounded(ctx, func(ctx context.Context) error { return d.Deliver(ctx, what) })
	return w.ofDeliverer(d.name, err)
}

// verify reads back what can be read, and so relies on what the places hold and not on what the deliverers said.
func (w *work) verify(ctx context.Context) error {
	for _, d := range w.r.deliverers {
		reader, ok := d.Deliverer.(Reader)
		if !ok {
			continue
		}
		held, err := w.read(ctx, d.name, reader)
		if err != nil {
			return err
		}
		if held.Secret.Equal(w.rec.Next) {
			continue
		}
		lie := w.ofDeliverer(d.name, errors.New("it gave back another secret than it was given"))
		redo := w.advance(ctx, Started, func(r *Record) {
			r.Delivered = slices.DeleteFunc(r.Delivered, func(name string) bool { return name == d.name })
		})
		return errors.Join(lie, redo)
	}
	return w.advance(ctx, Verified)
}

func (w *work) read(ctx context.Context, name string, reader Reader) (held Delivery, err error) {
	result := make(chan Delivery, 1) // not shared with a reader that returns too late
	err = w.bounded(ctx, func(ctx context.Context) error {
		held, err := reader.Read(ctx, w.rec.ClientID)
		result <- held
		return err
	})
	if err != nil {
		return Delivery{}, w.ofDeliverer(name, err)
	}
	return <-result, nil
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
	return &failure{fmt.Errorf("%w: %s: %w", ErrDelivery, name, scrub(err, w.rec.Current, w.rec.Next))}
}
