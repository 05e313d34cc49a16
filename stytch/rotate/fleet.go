package rotate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// ErrTooManyFailures says that a fleet was stopped because as many clients failed as [Fleet.MaxFailures] allows.
var ErrTooManyFailures = errors.New("rotate: too many clients failed")

const (
	defaultConcurrency = 8
	defaultFailures    = 10
	mostFailures       = 10_000 // are remembered; nothing else of a fleet grows
)

// Fleet rotates the secrets of many clients. Its memory does not depend on how many. The zero value of every field but
// Rotator is good; methods do not change them.
//
// A journal that is a [Queue] hands the work out, so that several processes share it: one calls Run with the clients, and
// each of the others with nil. With another journal one process at a time runs a fleet.
//
// A nil error means that a method came to its end, not that no client failed: see the [Report]. A method also ends with
// the error of its context, of the iterator it was given, [ErrTooManyFailures], or that of the journal or the audit log. The error of
// an iterator only ends the intake: what was taken in is rotated. With the others, clients that are worked on are left where
// they can be resumed, as [Rotator.Run] leaves one; what was sent to the server is waited for and recorded.
type Fleet struct {
	Rotator *Rotator

	// Concurrency is how many clients are worked on at once; 0 is 8. A rotation in its grace period does not count.
	Concurrency int
	// MaxFailures is how many clients may fail before the fleet is stopped: 0 is 10, a negative number is 10,000, which is also the most.
	MaxFailures int
	// OlderThan leaves out clients whose latest rotation in the journal was completed less than so long ago. Without it a client
	// is rotated twice if a [Queue] gets it twice.
	OlderThan time.Duration
	// Total is how many clients there are, for the progress; 0 if that is not known.
	Total int
	// Audit gets the lines of the function [Audit]. If one cannot be written the fleet is stopped: rotations that leave no trace
	// are not for a fleet. It is told of the Rotator's work for this fleet only.
	Audit io.Writer
	// Progress is called every ProgressEvery, 0 is 1 s, and once at the end, from one goroutine at a time. It must be quick.
	Progress      func(Progress)
	ProgressEvery time.Duration
}

// Run rotates all clients, and goes on with the rotations of them that are under way. A client that fails is left to Resume,
// or to another Run, which goes on with it too.
//
// With a Queue the clients are planned in it first, 500 at a time, while what is due is worked on, whoever planned it; nil only
// works. It ends when nothing is left that could become due, so a claim of another process is waited for. A client that
// fails is tried again after a minute, and after its third failure set aside for more than an hour, whoever asks. Those that
// need a human are not handed out. Resume goes on with all of these at once.
func (f *Fleet) Run(ctx context.Context, clients iter.Seq2[string, error]) (Report, error) {
	c, err := f.crew()
	if err != nil {
		return Report{}, err
	}
	if queue, ok := f.Rotator.journal.(Queue); ok {
		return c.lead(ctx, func(ctx context.Context) error { return c.share(ctx, queue, clients) })
	}
	if clients == nil {
		return Report{}, wrong(ErrInvalidArgument, "Fleet.Run: without a Queue clients must not be nil")
	}
	return c.lead(ctx, func(ctx context.Context) error { return c.rotate(ctx, clients) })
}

// Resume goes on with all rotations of the journal that are unfinished, each once, and begins none. It asks the journal for
// each by its name, so with a [Queue] too it does not matter when a rotation is due.
func (f *Fleet) Resume(ctx context.Context) (Report, error) {
	c, err := f.crew()
	if err != nil {
		return Report{}, err
	}
	return c.lead(ctx, c.resume)
}

// Forecast is a dry run of Run, or for nil of Resume: what it would cost now. It reads the journal and asks the server nothing,
// so it does not find clients that cannot be rotated. What the iterator itself asks the server is not counted. The duration
// follows from the limiter, if that tells its Rate() float64 as [Bucket] does, and the grace period.
func (f *Fleet) Forecast(ctx context.Context, clients iter.Seq2[string, error]) (Forecast, error) {
	c, err := f.crew()
	if err != nil {
		return Forecast{}, err
	}
	resume := clients == nil
	if resume {
		clients = c.r.journal.Unfinished(ctx)
	}
	var sum Forecast
	for id, err := range clients {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return sum, err
		}
		one, err := c.forecast(ctx, id, resume)
		if err != nil {
			return sum, err
		}
		sum.add(one)
	}
	if l, ok := c.r.limiter.(interface{ Rate() float64 }); ok {
		sum.Duration += time.Duration(float64(sum.Calls) / l.Rate() * float64(time.Second))
	}
	return sum, nil
}

func (c *crew) forecast(ctx context.Context, id string, resume bool) (Forecast, error) {
	rec, err := c.r.journal.Read(ctx, id)
	switch {
	case err != nil && !errors.Is(err, ErrNoRotation):
		return Forecast{}, &Error{ClientID: id, Err: ofJournal(err)}
	case rec.active():
	case resume: // ended meanwhile
		return Forecast{}, nil
	case c.young(rec):
		return Forecast{Skipped: 1}, nil
	default:
		rec = Record{State: Planned}
	}
	return c.r.forecast(rec.again()), nil
}

// crew checks the fields and makes the workers of one call.
func (f *Fleet) crew() (*crew, error) {
	if f.Rotator == nil {
		return nil, wrong(ErrInvalidArgument, "Fleet: Rotator must not be nil")
	}
	if f.Concurrency < 0 || f.OlderThan < 0 || f.Total < 0 || f.ProgressEvery < 0 {
		return nil, wrong(ErrInvalidArgument, "Fleet: Concurrency, OlderThan, Total and ProgressEvery must not be negative")
	}
	c := &crew{fleet: *f, began: f.Rotator.clock.Now(), tally: tally{limit: f.MaxFailures, failing: map[string]int{}}}
	if f.Concurrency == 0 {
		c.fleet.Concurrency = defaultConcurrency
	}
	if f.ProgressEvery == 0 {
		c.fleet.ProgressEvery = time.Second
	}
	if f.MaxFailures == 0 {
		c.tally.limit = defaultFailures
	}
	if f.MaxFailures < 0 || f.MaxFailures > mostFailures {
		c.tally.limit = mostFailures
	}
	r := *f.Rotator
	if f.Audit != nil {
		c.audit = &auditor{w: f.Audit, failed: func(err error) { c.stop(err) }}
		r.observers = append(r.observers[:len(r.observers):len(r.observers)], c.audit.observe)
	}
	c.r = &r
	return c, nil
}

// IDs feeds a [Fleet] from a list of whatever has a client id, such as the results of a search. Those for which id says false are
// left out. The list must end with its error, as that of a search does.
func IDs[T any](clients iter.Seq2[T, error], id func(T) (clientID string, ok bool)) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for client, err := range clients {
			if err != nil {
				yield("", err)
				return
			}
			if clientID, ok := id(client); ok && !yield(clientID, nil) {
				return
			}
		}
	}
}

// listing is the error of an iterator.
func listing(err error) error { return fmt.Errorf("rotate: the clients cannot be listed: %w", err) }
