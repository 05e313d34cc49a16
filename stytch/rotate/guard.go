package rotate

import (
	"context"
	"errors"
	"slices"

	"github.com/stytchkit/m2m/internal/guard"
	"github.com/stytchkit/m2m/internal/redact"
)

// maxPanic is the most bytes of an error that what a function panicked with may have.
const maxPanic = 1 << 10

// errExited is the failure of a function that ended its goroutine.
var errExited = errors.New("it ended its goroutine (runtime.Goexit)")

// guarded calls code that the caller provided. Its panic is an error, and an event with the stack.
func (t *rotation) guarded(ctx context.Context, name string, call func() error) error {
	return t.caught(ctx, safely(name, call))
}

// safely calls code that the caller provided. Its panic is a [guard.PanicError], and so is that of
// a method of its error, such as one that is a nil pointer.
func safely(name string, call func() error) error {
	return guard.Call(name, func() error {
		err := call()
		if err != nil {
			_, _, _, _ = redact.New().Error(err), outcomeUnknown(err), isThrottled(err), gone(err)
		}
		return err
	})
}

// caught reports a panic to the observers. The error that it returns has no secret in its text.
func (t *rotation) caught(ctx context.Context, err error) error {
	var p *guard.PanicError
	if !errors.As(err, &p) {
		return err
	}
	cleaned := t.cleaned(p)
	if _, bare := err.(*guard.PanicError); bare { //nolint:errorlint // what wraps it stays
		err = cleaned
	}
	t.report(ctx, t.panicked(err, cleaned.Stack), t.observers)
	return err
}

func (t *rotation) cleaned(p *guard.PanicError) *guard.PanicError {
	return &guard.PanicError{Name: p.Name, Text: t.secrets.Line(p.Text, maxPanic), Stack: t.secrets.Text(p.Stack)}
}

// panicked is the event of a panic.
func (t *rotation) panicked(err error, stack string) Event {
	e := t.event(t.stage, t.wrap(err))
	e.Stack = stack
	return e
}

// report calls the observers. The panic of one is reported to the others, and ends nothing.
func (t *rotation) report(ctx context.Context, e Event, observers []func(context.Context, Event)) {
	for i, observer := range observers {
		var p *guard.PanicError
		if err := guard.Run("WithObserver", func() { observer(ctx, e) }); errors.As(err, &p) && e.Stack == "" {
			cleaned := t.cleaned(p)
			t.report(ctx, t.panicked(cleaned, cleaned.Stack), slices.Delete(slices.Clone(observers), i, i+1))
		}
	}
}

// claimed calls the journal for a claim, and returns what it holds.
func (t *rotation) claimed(ctx context.Context, claim func() (Claim, error)) (held Claim, rec Record, err error) {
	if err = t.guarded(ctx, "Journal.Claim", func() (err error) { held, err = claim(); return err }); err != nil {
		return nil, Record{}, err
	}
	err = t.guarded(ctx, "Claim.Record", func() error { rec = held.Record(); return nil })
	return held, rec, err
}
