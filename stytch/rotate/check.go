package rotate

import (
	"context"
	"errors"
	"slices"

	"github.com/stytchkit/m2m/stytch/secret"
)

// CheckReport is what [Rotator.Check] found. It holds no secret.
type CheckReport struct {
	ClientID string
	State    State         // of the rotation in progress, according to the journal; "" without one
	Places   []PlaceReport // in the order of their names
	Current  Verdict       // of the current secret: Unproved if none was found, Refused if none of those works
	Source   string        // what has the one that works: "the journal", "WithCurrent" or `place "x"`
	Pending  bool          // the server has a next secret
	Run      Forecast      // what [Rotator.Run] would cost now

	Calls        int // requests that the check sent to the server
	BilledTokens int // what it cost: 1 if a secret works, otherwise 0; always 0 with [ByLastFour]
}

// PlaceReport is what [Rotator.Check] found out about the place of one deliverer.
type PlaceReport struct {
	Name     string
	Readable bool  // it was read; never set if the deliverer is not a [Reader]
	Writable bool  // it passed its own check; never set if the deliverer is not a [Checker]
	Empty    bool  // it was read and holds nothing for the client
	Current  bool  // it holds the current secret, which was proved
	Err      error // why it cannot be read or written: [ErrDelivery]
}

// Check shows whether [Rotator.Run] could begin. It changes nothing: neither the journal nor the
// server nor the places. It reads and checks every place, asks the function of [WithCurrent], asks
// the server once, and proves secrets until one works. It costs one billed token if a secret works,
// and otherwise none: refused requests are not billed.
//
// The error joins all reasons that would keep Run from beginning; the report is as complete as they
// permit. For a rotation in progress it does not prove the next secret, which Run will do.
func (r *Rotator) Check(ctx context.Context, clientID string) (CheckReport, error) {
	if clientID == "" {
		return CheckReport{}, &Error{Err: wrong(ErrInvalidArgument, "client id must not be empty")}
	}
	report := CheckReport{ClientID: clientID}
	rec, err := r.read(ctx, clientID)
	if err != nil && !errors.Is(err, ErrNoRotation) {
		return report, &Error{ClientID: clientID, Err: ofJournal(err)}
	}
	if rec.active() {
		report.State = rec.State
	} else {
		rec = Record{ClientID: clientID, State: Planned}
	}
	t, err := r.from(ctx, rec)
	if err != nil {
		return report, err
	}
	if err := errors.Join(t.checkPlaces(ctx, &report), t.checkServer(ctx, &report)); err != nil {
		return report, t.wrap(err)
	}
	return report, nil
}

// checkPlaces asks all that can be asked without the server.
func (t *rotation) checkPlaces(ctx context.Context, report *CheckReport) error {
	var failed []error
	if t.current != nil {
		a := t.answerOf(ctx, fromCaller)
		t.o.hears(a)
		failed = append(failed, a.err)
	}
	for i, d := range t.deliverers {
		p := PlaceReport{Name: d.name}
		if d.reads() {
			a := t.answerOf(ctx, i)
			t.o.hears(a)
			p.Readable, p.Empty, p.Err = a.err == nil, a.err == nil && a.secret.IsZero(), a.err
		}
		if d.checks() {
			err := t.check(ctx, d)
			p.Writable, p.Err = err == nil, errors.Join(p.Err, err)
		}
		report.Places = append(report.Places, p)
		failed = append(failed, p.Err)
	}
	return errors.Join(failed...)
}

// checkServer looks at the server and proves the current secret.
func (t *rotation) checkServer(ctx context.Context, report *CheckReport) error {
	report.Calls++
	if err := t.observe(ctx); err != nil {
		return err
	}
	report.Pending = t.o.seen.Rotating()
	if err := t.proveAny(ctx, report); err != nil {
		return err
	}
	var err error
	if report.Run, err = t.limited(ctx, t.forecast(t.rec, t.known())); err != nil {
		return err
	}
	t.o.now = t.now()
	switch to := decide(t.o.situation(t.o.withCurrent(t.rec), t.config)); {
	case to == stopOther:
		return t.o.otherRotation(t.rec)
	case t.rec.State != Planned:
		return nil
	case report.Current == Refused:
		return t.o.refusedCurrent(t.rec, t.config)
	case report.Current == Unproved && !t.unknownCurrent:
		return t.o.unknownCurrent(t.config)
	}
	return nil
}

// candidate is a secret that may be the current one, and what has it.
type candidate struct {
	secret secret.String
	source string
}

// candidates are all different secrets that may be the current one, those first that end like it.
// One that ends like the pending secret, and not like the current one, cannot be it.
func (t *rotation) candidates() (all []candidate) {
	add := func(s secret.String, source string) {
		known := slices.ContainsFunc(all, func(c candidate) bool { return c.secret.Equal(s) })
		end := lastFour(s)
		if known || s.IsZero() || t.o.seen.Rotating() && end == t.o.seen.Next && end != t.o.seen.Current {
			return
		}
		all = append(all, candidate{s, source})
	}
	add(t.rec.Current, "the journal")
	for _, a := range t.o.answers {
		add(a.secret, t.sourceName(a.source))
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return rank(t.o.seen, a.secret) - rank(t.o.seen, b.secret)
	})
	return all
}

// rank is 0 for a secret that ends like the current one, and otherwise 1.
func rank(seen secret.LastFour, s secret.String) int {
	if lastFour(s) == seen.Current {
		return 0
	}
	return 1
}

// proveAny proves candidates until one works.
func (t *rotation) proveAny(ctx context.Context, report *CheckReport) error {
	_, free := t.prober.(lastFourProber)
	for _, c := range t.candidates() {
		report.Calls++
		accepted, m, err := t.probe(ctx, c.secret)
		if err != nil {
			return err
		}
		t.o.proves(currentSecret, c.secret, accepted, m)
		if report.Current = t.o.working.Current; !accepted {
			if !free {
				report.Calls++ // a refusal is followed by a look whether the client is active
			}
			continue
		}
		report.Source = c.source
		if !free {
			report.BilledTokens++
		}
		for _, a := range t.o.answers {
			if i := a.source; i != fromCaller && a.secret.Equal(c.secret) {
				report.Places[i].Current = true
			}
		}
		return nil
	}
	return nil
}
