package rotate

import (
	"context"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// perform does what an effect says, and adds what was learned to the observation.
func (t *rotation) perform(ctx context.Context, e effect) {
	o := &t.o
	t.prepare(e)
	var err error
	switch e.kind {
	case observe:
		err = t.observe(ctx)
	case findCurrent:
		err = t.askSource(ctx, e.place)
	case checkPlace:
		err = t.checkPlace(ctx, e.place)
	case readPlace:
		err = t.readPlace(ctx, e.place)
	case checkReady:
		err = t.checkReady(ctx)
	case prove:
		err = t.prove(ctx, e.secret)
	case reserve:
		err = t.permitted(ctx)
		o.reserved = err == nil
	case write:
		t.record(ctx, e)
		return
	case start, complete, cancel:
		t.request(ctx, e.kind)
		return
	case deliver:
		err = t.deliver(ctx, e.place, e.give)
	case wait:
		if err = t.pause(ctx, e.wait); err != nil {
			break
		}
		switch {
		case e.retry:
			o.retry()
		case e.recheck:
			o.rechecks++
		default:
			o.ready = readyUnknown
		}
	}
	if err != nil {
		o.failed = &failure{err: err, kind: e.kind, caller: e.kind == checkReady}
	}
}

// prepare takes over what an effect says about the ones before it.
func (t *rotation) prepare(e effect) {
	o := &t.o
	o.failed = nil
	if e.task != o.task {
		o.task, o.places = e.task, nil
	}
	if e.cause != nil {
		o.cause = e.cause
	}
	if e.cleanup {
		o.responded, o.failures = 0, 0
	}
	if e.forget {
		o.forget()
	}
	if !e.question() {
		o.endRound()
	}
	if e.kind != observe {
		o.lookedNow = false
	}
}

// observe asks the server for the last four characters of its secrets.
func (t *rotation) observe(ctx context.Context) error {
	return t.ask(ctx, "Target.LastFour", func(ctx context.Context) error {
		m := t.moment()
		seen, err := t.target.LastFour(ctx, t.rec.ClientID)
		if err == nil {
			t.o.sees(t.rec, seen, m)
		}
		return err
	})
}

// prove tries a secret.
func (t *rotation) prove(ctx context.Context, which whose) error {
	before := t.o.withCurrent(t.rec)
	s := before.Current
	switch which {
	case nextSecret:
		s = before.Next
	case foundSecret:
		s, _ = t.o.untried(before)
		if before.Current.IsZero() { // there is no other one
			which = currentSecret
		}
	}
	accepted, m, err := t.probe(ctx, s)
	if err == nil {
		t.o.proves(which, s, accepted, m)
		t.o.durable = t.o.durable && t.o.withCurrent(t.rec).Current.Equal(before.Current)
	}
	return err
}

// probe asks the server whether it accepts a secret.
func (t *rotation) probe(ctx context.Context, s secret.String) (accepted bool, m moment, err error) {
	err = t.ask(ctx, "Prober.Probe", func(ctx context.Context) (err error) {
		m = t.moment()
		accepted, err = t.prober.Probe(ctx, t.rec.ClientID, s)
		return err
	})
	return accepted, m, err
}

func (t *rotation) moment() moment { return moment{t.now(), t.o.round} }

// ask makes one request that only reads.
func (t *rotation) ask(ctx context.Context, name string, request func(context.Context) error) error {
	if err := t.permitted(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, t.callTimeout)
	defer cancel()
	return t.slowDown(ctx, t.guarded(ctx, name, func() error { return request(ctx) }))
}

// permitted waits until the limiter permits a request.
func (t *rotation) permitted(ctx context.Context) error {
	return t.guarded(ctx, "Limiter.Wait", func() error { return t.limiter.Wait(ctx) })
}

// request makes one of the three requests that change the server. The caller's context can keep it
// from being sent, but not from being answered: half of a secret's life would be lost with the
// response. It is not sent when the claim is about to end, so that a process that was paused does
// not act on what it knew before.
func (t *rotation) request(ctx context.Context, kind kind) {
	o := &t.o
	o.reserved = false
	if err := t.claimLasts(ctx, t.callTimeout); err != nil {
		o.failed = &failure{err: err, kind: kind}
		return
	}
	ctx, cancelCall := context.WithTimeout(context.WithoutCancel(ctx), t.callTimeout)
	defer cancelCall()
	var err error
	switch kind {
	case start:
		err = t.guarded(ctx, "Target.Start", func() (err error) {
			o.received, err = t.target.Start(ctx, t.rec.ClientID)
			t.trackSecret(o.received)
			if !o.received.IsZero() {
				return nil // an error beside it is about the rest of the response
			}
			return err
		})
	case complete:
		err = t.guarded(ctx, "Target.Complete", func() error { return t.target.Complete(ctx, t.rec.ClientID) })
	case cancel:
		err = t.guarded(ctx, "Target.Cancel", func() error { return t.target.Cancel(ctx, t.rec.ClientID) })
	}
	if err = t.slowDown(ctx, err); err != nil {
		o.failed = &failure{err: err, kind: kind, sent: true}
		if kind == start && o.failed.unknown() {
			o.inFlight, o.startAt = true, t.now()
		}
		o.forget()
		return
	}
	t.succeeded(kind)
}

// succeeded adds what the success of a request shows.
func (t *rotation) succeeded(kind kind) {
	o := &t.o
	o.responded = kind
	switch kind {
	case start:
		o.inFlight, o.startAt, o.pendingAt, o.stores = true, t.now(), t.now(), 0
		o.seen, o.seenAt, o.changed = secret.LastFour{Current: o.seen.Current, Next: lastFour(o.received)}, t.moment(), false
		o.working.Next, o.nextAt = Unproved, moment{}
	case complete:
		o.forget() // what it completed is proved again: it may be another secret that ends alike
	case cancel:
		o.seen.Next, o.changed = "", false // if this is not so, the next start is refused, and nothing is lost
		o.working.Next, o.nextAt = Refused, moment{}
	}
}

// claimLasts makes sure that the claim lasts for what is done next.
func (t *rotation) claimLasts(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.o.claimEnds.Sub(t.now()) < d {
		return wrong(ErrBusy, "the claim on the journal is about to end")
	}
	return nil
}

// record writes a record, and what follows from it.
func (t *rotation) record(ctx context.Context, e effect) {
	o, before := &t.o, t.rec
	working := o.working
	if e.result != (Working{}) {
		o.working = e.result
	}
	if err := t.write(ctx, e.record); err != nil {
		o.working = working
		o.stores++
		o.failed = &failure{err: err, kind: write}
		if e.then != nil {
			o.failed = &failure{err: joined(e.then.err, err), final: true}
		}
		return
	}
	o.failed, o.intended = e.then, true
	if e.intent {
		return
	}
	o.received, o.responded = secret.String{}, 0
	if e.record.State == before.State {
		return
	}
	o.inFlight = false
	if e.record.State != Starting && e.record.State != Planned { // which follow each other when responses are lost
		o.failures = 0
	}
	o.restarts += e.record.Restarts - before.Restarts
	if !e.record.Next.Equal(before.Next) && !e.record.State.Final() {
		o.working.Next, o.nextAt = Unproved, moment{}
	}
}

// slowDown passes on to the limiter what the server asked for.
func (t *rotation) slowDown(ctx context.Context, err error) error {
	if wait, ok := throttled(err); ok {
		_ = t.guarded(ctx, "Limiter.Throttle", func() error { t.limiter.Throttle(wait); return nil })
	}
	return err
}
