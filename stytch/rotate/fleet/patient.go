package fleet

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

const (
	patience      = 5 * time.Minute  // with a journal that has answered before
	firstPatience = 30 * time.Second // with one that has not: it is more likely a wrong setting than an outage
	shortestPause = time.Second
	longestPause  = 30 * time.Second
	oddTries      = 3 // that fail while the journal answers others

	releaseTimeout = 30 * time.Second
)

// patient is a journal that waits while the one below it is down, for instance because a database
// restarts. Each fault is reported to the observers. It is a fault of no client.
type patient struct {
	rotate.Journal
	queue    rotate.Queue // the same journal, or nil
	report   func(context.Context, rotate.Event)
	stop     func(error)  // when there is no more hope
	answered atomic.Int64 // how often the journal answered
}

// fault reports whether an error says that the journal failed, and not what it found.
func fault(err error) bool {
	return err != nil && !ofRecord(err) && !isAny(err, rotate.ErrBusy, rotate.ErrNoRotation, rotate.ErrInvalidArgument)
}

// retry calls the journal until it answers, ctx ends, or there is no more hope, which ends the
// fleet. In the last two cases the error is also that of a context. What a journal that answers the
// others does not answer for one client is that client's own trouble: then the fault is returned.
func (p *patient) retry(ctx context.Context, clientID string, call func() error) error {
	began, last, odd := time.Now(), p.answered.Load(), 0
	for {
		err := call()
		if !fault(err) {
			p.answered.Add(1)
			return err
		}
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		err = journalError(err)
		p.report(ctx, rotate.Event{Time: time.Now(), ClientID: clientID, Err: &rotate.Error{ClientID: clientID, Err: err}})
		if answered := p.answered.Load(); answered != last {
			last = answered
			odd++
		}
		down := time.Since(began)
		switch {
		case clientID != "" && odd >= oddTries:
			return err
		case down >= patience, last == 0 && down >= firstPatience, errors.Is(err, rotate.ErrNewerVersion): // which no wait changes
			p.stop(err)
			return errors.Join(err, context.Canceled)
		}
		sleep(ctx, nil, pause(down))
	}
}

// pause is how long to leave a journal alone that has been down for some time, with jitter.
func pause(down time.Duration) time.Duration {
	d := min(max(down, shortestPause), longestPause)
	return d/2 + rand.N(d) //nolint:gosec // it spreads requests
}

// Claim implements [rotate.Journal].
func (p *patient) Claim(ctx context.Context, clientID string, life time.Duration) (claim rotate.Claim, err error) {
	err = p.retry(ctx, clientID, func() error { claim, err = p.Journal.Claim(ctx, clientID, life); return err })
	if err != nil {
		return nil, err
	}
	return &patientClaim{Claim: claim, patient: p, clientID: clientID}, nil
}

// Read implements [rotate.Journal].
func (p *patient) Read(ctx context.Context, clientID string) (r rotate.Record, err error) {
	err = p.retry(ctx, clientID, func() error { r, err = p.Journal.Read(ctx, clientID); return err })
	return r, err
}

// Unfinished implements [rotate.Journal]. A list that breaks off is begun again, so it may yield a
// client twice.
func (p *patient) Unfinished(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := p.retry(ctx, "", func() error {
			for id, err := range p.Journal.Unfinished(ctx) {
				if fault(err) {
					return err
				}
				p.answered.Add(1)
				if !yield(id, err) {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			yield("", err)
		}
	}
}

// Plan implements [rotate.Queue].
func (p *patient) Plan(ctx context.Context, clientIDs []string) (added int, err error) {
	err = p.retry(ctx, "", func() error {
		n, err := p.queue.Plan(ctx, clientIDs)
		added += n // some may have been added before an error
		return err
	})
	return added, err
}

// Next implements [rotate.Queue].
func (p *patient) Next(ctx context.Context, life time.Duration) (claim rotate.Claim, wait time.Duration, err error) {
	err = p.retry(ctx, "", func() error { claim, wait, err = p.queue.Next(ctx, life); return err })
	if err != nil {
		return nil, wait, err
	}
	return &patientClaim{Claim: claim, patient: p, clientID: claim.Record().ClientID}, 0, nil
}

// Defer implements [rotate.Queue].
func (p *patient) Defer(ctx context.Context, claim rotate.Claim, until time.Time) error {
	c := claim.(*patientClaim)
	return p.retry(ctx, c.clientID, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
		return p.queue.Defer(ctx, c.Claim, until)
	})
}

// patientClaim is a claim of a [patient].
type patientClaim struct {
	rotate.Claim
	patient  *patient
	clientID string
	unsure   rotate.Record // of the last write if it failed, and may be stored or not
}

// Write implements [rotate.Claim].
func (c *patientClaim) Write(ctx context.Context, r rotate.Record) error {
	err := c.patient.retry(ctx, c.clientID, func() error { return c.Claim.Write(ctx, r) })
	c.unsure = rotate.Record{}
	if fault(err) {
		c.unsure = r
	}
	return err
}

// settle repeats a last write whose outcome is not known, if that ended the rotation: what ended is
// handed out to no one again, so no one else would count it.
func (c *patientClaim) settle(ctx context.Context) (rotate.Record, error) {
	end := c.unsure
	if !end.State.Final() {
		return rotate.Record{}, nil
	}
	if err := c.Write(ctx, end); err != nil {
		return rotate.Record{}, err
	}
	return end, nil
}

// Release implements [rotate.Claim]. It tries at least once, whatever ctx is.
func (c *patientClaim) Release(ctx context.Context) error {
	return c.patient.retry(ctx, c.clientID, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
		return c.Claim.Release(ctx)
	})
}
