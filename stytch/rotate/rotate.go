package rotate

import (
	"context"
	"unicode/utf8"
)

// Rotator rotates secrets. It is safe for concurrent use: one serves all clients of a target. It
// holds no secret, and nothing runs in it between calls.
type Rotator struct{ *config }

// New returns a rotator. It touches neither the network nor the journal. Every error names the
// argument or option and the rule that it breaks, and is [ErrInvalidArgument].
func New(target Target, deliverer Deliverer, journal Journal, options ...Option) (*Rotator, error) {
	if target == nil || deliverer == nil || journal == nil {
		return nil, wrong(ErrInvalidArgument, "target, deliverer and journal must not be nil")
	}
	c := &config{target: target, deliverers: named(deliverer), journal: journal, settings: defaults()}
	if len(c.deliverers) == 0 {
		return nil, wrong(ErrInvalidArgument, "deliverers must not be empty: the next secret would be nowhere but in the journal")
	}
	for _, d := range c.deliverers {
		if d.name == "" || len(d.name) > 64 || !utf8.ValidString(d.name) {
			return nil, wrong(ErrInvalidArgument, "deliverer %.64q: the name must be of 1 to 64 bytes of UTF-8", d.name)
		}
		if d.Deliverer == nil {
			return nil, wrong(ErrInvalidArgument, "deliverer %.64q must not be nil", d.name)
		}
	}
	c.prober, _ = target.(Prober)
	if err := c.apply(options); err != nil {
		return nil, err
	}
	if c.prober == nil {
		return nil, wrong(ErrInvalidArgument, "the target cannot prove a secret: use WithProber")
	}
	return &Rotator{c}, nil
}

// With returns a copy of the rotator with further options.
func (r *Rotator) With(options ...Option) (*Rotator, error) {
	c := *r.config
	c.observers = c.observers[:len(c.observers):len(c.observers)]
	if err := c.apply(options); err != nil {
		return nil, err
	}
	return &Rotator{&c}, nil
}

// Plan records that a client is to be rotated, for [Rotator.Step], [Rotator.Advance] or a worker
// that comes later. It does nothing if a rotation is in progress.
func (r *Rotator) Plan(ctx context.Context, clientID string) error {
	t, err := r.claimFor(ctx, clientID)
	if err != nil {
		return err
	}
	defer t.release(ctx)
	if t.rec.active() {
		return nil
	}
	if err := t.write(ctx, NewRecord(clientID, t.now())); err != nil {
		return t.fail(ctx, err)
	}
	return nil
}

// Run rotates the secret of a client, or resumes the rotation in progress, and takes it to its end:
// it waits for the end of the grace period. When it returns nil the next secret is the current one,
// the deliverers have it, and the previous one is refused.
//
// Every other outcome is an [*Error], after which calling Run again resumes the rotation. There is
// one exception: if only the final write failed, Run starts a new rotation; Resume never does. If
// ctx ends, Run still waits for the response to a request that was sent and records it, which takes
// at most the timeout of a call and of a few writes of the journal. Where that cannot be recorded,
// or with [WithCancelOnFailure], it takes at most the timeout of a cleanup more.
func (r *Rotator) Run(ctx context.Context, clientID string) error {
	return r.drive(ctx, clientID, func(t *rotation) error {
		if !t.rec.active() {
			t.plan()
		}
		return nil
	})
}

// Resume continues a rotation in progress, as [Rotator.Run] does. It starts none: that is
// [ErrNoRotation].
func (r *Rotator) Resume(ctx context.Context, clientID string) error {
	return r.drive(ctx, clientID, (*rotation).mustBeActive)
}

// Cancel gives up the rotation in progress: it proves the current secret, gives it back to the
// deliverers, and cancels the next one. It is [ErrNoRotation] if there is none, or if it was
// completed before it could be canceled. The next call of any method finishes a cancellation that
// failed halfway.
func (r *Rotator) Cancel(ctx context.Context, clientID string) error {
	t, err := r.claimFor(ctx, clientID)
	if err != nil {
		return err
	}
	defer t.release(ctx)
	if err := t.mustBeActive(); err != nil {
		return t.fail(ctx, err)
	}
	if err := t.write(ctx, changed(t.rec, t.rec.State, func(r *Record) { r.Abort = true })); err != nil {
		return t.fail(ctx, err)
	}
	if _, err := t.run(ctx, throughout); err != nil {
		return err
	}
	if t.rec.State == Completed {
		return t.fail(ctx, wrong(ErrNoRotation, "it was completed already"))
	}
	return nil
}

// drive claims a client, prepares its record, and takes the rotation to its end.
func (r *Rotator) drive(ctx context.Context, clientID string, prepare func(*rotation) error) error {
	t, err := r.claimFor(ctx, clientID)
	if err != nil {
		return err
	}
	defer t.release(ctx)
	if err := prepare(t); err != nil {
		return t.fail(ctx, err)
	}
	if _, err := t.run(ctx, throughout); err != nil {
		return err
	}
	return t.outcome()
}
