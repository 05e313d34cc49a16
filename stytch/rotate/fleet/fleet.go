// Package fleet rotates the secrets of many clients: those of a search, of a list, or all whose
// rotation is unfinished.
//
//	bucket, err := rotate.NewBucket(100, 10)
//	rotator, err := rotate.New(api.M2M.Secrets, deliverer, journal, rotate.WithLimiter(bucket))
//	clients := fleet.IDs(api.M2M.Search(ctx, query), func(c stytch.M2MClient) (string, bool) {
//		return c.ClientID, true
//	})
//	log, err := audit.Open(ctx, "rotations.ndjson", journal)
//	f, err := fleet.New(rotator, fleet.WithOlderThan(90*24*time.Hour), fleet.WithAudit(log))
//	report, err := f.Run(ctx, clients)
//
// A journal that is a [rotate.Queue], such as that of contrib/postgres, shares a fleet among
// processes: one calls Run with the clients, and the others with nil. With another journal, such as
// that of package filejournal, one process at a time runs the fleet, and keeps the queue in its
// memory.
//
// # Memory
//
// With a [rotate.Queue], memory does not depend on the number of clients. With another journal, a
// fleet remembers the clients that are in their grace period and up to 1,000 that it has read
// ahead: about 150 bytes each, so 15 MB while 100,000 wait.
package fleet

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/stytchkit/m2m/internal/guard"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// Fleet rotates many clients with one [rotate.Rotator]. It is safe for concurrent use.
//
// A nil error means that a method finished, not that no client failed: see [Report.Err]. A method
// ends early with the error of its context, of the journal or of the audit log, or with
// [ErrTooManyFailures]. A journal that fails is waited for, five minutes at most; its faults are
// events with [rotate.ErrJournal] for the rotator's observers, and count for no client, unless it
// fails for one again and again while it answers for others. Rotations in progress are then left
// where they can be resumed, after requests that were already sent are answered and recorded, as
// [rotate.Rotator.Run] does. An error of the iterator ends only the intake: the clients before it
// are rotated.
type Fleet struct {
	rotator *rotate.Rotator
	settings
}

// New returns a fleet. It touches neither the network nor the journal. Errors are
// [ErrInvalidArgument].
func New(rotator *rotate.Rotator, options ...Option) (*Fleet, error) {
	if rotator == nil {
		return nil, invalid("rotator must not be nil")
	}
	f := &Fleet{rotator, defaults()}
	for _, option := range options {
		if option == nil {
			return nil, invalid("option must not be nil")
		}
		if err := option(&f.settings); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Run rotates the clients, and resumes those of their rotations that are in progress. A client that
// fails is left to Resume or to another Run.
//
// With a [rotate.Queue] the clients are planned in it, 500 at a time, while this process works on
// whatever is due, planned by any process. If clients is nil it only works. It ends when nothing is
// left that could become due, so it waits for the claims of other processes. A client that fails is
// tried again after a minute; after its third failure it is set aside for more than an hour, for
// all processes. Clients that need a human are not handed out. Resume takes all of these at once.
func (f *Fleet) Run(ctx context.Context, clients iter.Seq2[string, error]) (Report, error) {
	queue, shared := f.rotator.Journal().(rotate.Queue)
	if clients == nil && !shared {
		return Report{}, invalid("Run: clients must not be nil unless the journal is a rotate.Queue")
	}
	r, err := f.newRun()
	if err != nil {
		return Report{}, err
	}
	if shared {
		r.share(queue)
	} else {
		r.alone(func(record rotate.Record) bool {
			if r.recent(record) {
				r.counters.add(&r.counters.report.Skipped)
				return false
			}
			return true
		})
	}
	return r.do(ctx, func(ctx context.Context) error {
		if clients == nil {
			return nil
		}
		return r.plan(ctx, clients)
	})
}

// Resume continues all unfinished rotations of the journal, once each, and begins none. It takes
// them by name, so with a [rotate.Queue] too it does not matter when they are due.
func (f *Fleet) Resume(ctx context.Context) (Report, error) {
	r, err := f.newRun()
	if err != nil {
		return Report{}, err
	}
	r.alone(func(rotate.Record) bool { return false }) // it was finished since it was listed
	return r.do(ctx, r.planUnfinished)
}

// Forecast is a dry run of Run or, if clients is nil, of Resume: it returns what that would cost
// now. It reads the journal, asks the places for current secrets, and sends nothing to the server,
// so it does not find all clients that cannot be rotated. A client whose record or place cannot be
// read, or whose current secret no one has, is one of the forecast's failures. Requests of the
// iterator are not counted. The duration follows from the grace period and, if the rotator's
// limiter has a method Rate() float64, from that.
func (f *Fleet) Forecast(ctx context.Context, clients iter.Seq2[string, error]) (rotate.Forecast, error) {
	resume := clients == nil
	if resume {
		clients = f.rotator.Journal().Unfinished(ctx)
	}
	var sum rotate.Forecast
	for id, err := range clients {
		var record rotate.Record
		switch ended := ctx.Err(); {
		case err != nil && ofRecord(err) && resume && ended == nil:
			// it is not said whose it is
		case err != nil || ended != nil:
			return sum, listFailed(errors.Join(err, ended))
		default:
			record, err = f.rotator.Journal().Read(ctx, id)
		}
		switch {
		case err != nil && (ofRecord(err) || errors.Is(err, ErrInvalidArgument)):
			sum.Failed++
			if len(sum.Failures) < maxReported {
				sum.Failures = append(sum.Failures, &rotate.Error{ClientID: id, Err: err})
			}
			continue
		case err != nil && !errors.Is(err, rotate.ErrNoRotation):
			return sum, &rotate.Error{ClientID: id, Err: journalError(err)}
		case inProgress(record):
		case resume: // it was finished since it was listed
			continue
		case f.recent(record, time.Time{}):
			sum.Skipped++
			continue
		}
		one, err := f.rotator.Estimate(ctx, id, record)
		if err != nil {
			sum.Failed++
			if len(sum.Failures) < maxReported {
				sum.Failures = append(sum.Failures, err)
			}
		}
		sum.Clients += one.Clients
		sum.Calls += one.Calls
		sum.BilledTokens += one.BilledTokens
		sum.Duration = max(sum.Duration, one.Duration)
	}
	if l, ok := f.rotator.Limiter().(interface{ Rate() float64 }); ok {
		sum.Duration += time.Duration(float64(sum.Calls) / l.Rate() * float64(time.Second))
	}
	return sum, nil
}

// recent reports whether a client was rotated lately enough to be left out, or since began.
func (f *Fleet) recent(record rotate.Record, began time.Time) bool {
	if record.State != rotate.Completed {
		return false
	}
	now := time.Now()
	if clock, ok := f.rotator.Journal().(interface{ Now() time.Time }); ok { // by which record is
		_ = guard.Run("Journal.Now", func() { now = clock.Now() })
	}
	ago := now.Sub(record.UpdatedAt)
	return !began.IsZero() && ago < time.Since(began) || ago < f.olderThan
}

// IDs returns the client ids of a list, such as the results of a search, for [Fleet.Run]. Items for
// which id returns false are left out. It ends with the first error of the list.
func IDs[T any](list iter.Seq2[T, error], id func(T) (clientID string, ok bool)) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for item, err := range list {
			if err != nil {
				yield("", err)
				return
			}
			if clientID, ok := id(item); ok && !yield(clientID, nil) {
				return
			}
		}
	}
}
