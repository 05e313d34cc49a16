package rotate

import (
	"context"
	"errors"
	"time"
)

// visit takes one client as far as it goes now.
func (c *crew) visit(ctx context.Context, j job) {
	if j.why != begin && c.tally.tries(j.id) > 0 || j.why == sweep && !c.ripe(ctx, j.id) {
		return
	}
	w, err := c.r.take(ctx, j.id)
	if err != nil {
		c.untaken(ctx, j.id, err)
		return
	}
	defer w.release(ctx)
	switch {
	case w.rec.active():
	case j.why != begin: // somebody else finished it
		return
	case c.young(w.rec):
		c.tally.count(&c.tally.report.Skipped)
		return
	default:
		w.plan()
	}
	wait, err := w.goOn(ctx)
	if wait > 0 && !c.ours(w.rec) { // it waited before: from now on it waits for us
		if err = w.write(ctx, w.rec); err != nil {
			wait, err = 0, w.fail(ctx, err)
		}
	}
	if j.why == sweep && wait == 0 {
		c.tally.resume()
	}
	c.settle(ctx, w, j.why, wait, err)
}

// goOn makes steps until the end, a wait, or a failure.
func (w *work) goOn(ctx context.Context) (wait time.Duration, err error) {
	wait, err = w.walk(ctx)
	switch {
	case err != nil:
		return 0, w.failOrGiveUp(ctx, err)
	case wait == 0:
		return 0, w.outcome()
	}
	return wait, nil
}

// settle counts what became of a client.
func (c *crew) settle(ctx context.Context, w *work, why reason, wait time.Duration, err error) {
	switch {
	case wait > 0:
		c.tally.wait(c.r.clock.Now().Add(wait), why == sweep)
	case err == nil:
		c.tally.done(w.rec.ClientID)
	default:
		c.unsettled(ctx, w.rec.ClientID, err)
	}
}

func (c *crew) unsettled(ctx context.Context, id string, err error) {
	switch {
	case errors.Is(err, ErrBusy):
		c.tally.count(&c.tally.report.Busy)
	case stopped(ctx, err) && begunBy(err):
		c.tally.count(&c.tally.report.Left)
	case stopped(ctx, err):
	default:
		c.tally.failed(id, err)
	}
}

// stopped reports whether it is the end of ctx that kept a rotation from going on. One that was canceled for it is at its end.
func stopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, ctx.Err()) && !errors.Is(err, ErrCanceled)
}

// untaken is for a client that could not be claimed, of which the engine tells no observer.
func (c *crew) untaken(ctx context.Context, id string, err error) {
	if c.audit != nil && !stopped(ctx, err) {
		c.audit.observe(ctx, Event{Time: c.r.clock.Now(), ClientID: id, Err: err})
	}
	c.unsettled(ctx, id, err)
}

// unknown is for a record that does not say whose it is.
func (c *crew) unknown(ctx context.Context, err error) {
	if c.audit != nil {
		c.audit.observe(ctx, Event{Time: c.r.clock.Now(), Err: err})
	}
	c.tally.failed(err.Error(), err)
}

// young reports whether a client was rotated recently enough, or in this call already.
func (c *crew) young(rec Record) bool {
	age := c.r.clock.Now().Sub(rec.UpdatedAt)
	return rec.State == Completed && (rec.UpdatedAt.After(c.began) || age < c.fleet.OlderThan)
}

// ours reports whether a rotation in its grace period was worked on by this call. A journal may keep less of the time than the
// clock tells.
func (c *crew) ours(rec Record) bool {
	return c.all || !rec.UpdatedAt.Before(c.began.Truncate(time.Millisecond))
}

// ripe reports whether the grace period of a rotation is over.
func (c *crew) ripe(ctx context.Context, id string) bool {
	rec, err := c.r.journal.Read(ctx, id)
	switch {
	case errors.Is(err, ErrNoRotation) || err == nil && (rec.State != Grace || !c.ours(rec)):
		return false
	case err != nil:
		c.untaken(ctx, id, &Error{ClientID: id, Err: ofJournal(err)})
		return false
	}
	if now := c.r.clock.Now(); rec.GraceUntil.After(now) && !rec.Abort {
		c.tally.wait(rec.GraceUntil, true)
		return false
	}
	return true
}
