package fleet

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/stytch/rotate"
)

const (
	sharedBatch = 500         // clients that are planned in a shared queue at once
	retryAfter  = time.Minute // after a failure
)

// run is one call of [Fleet.Run] or [Fleet.Resume]. One goroutine plans clients in a queue, and
// workers take them out.
type run struct {
	fleet    *Fleet
	rotator  *rotate.Rotator // the fleet's, with the audit log as an observer
	journal  *patient
	queue    rotate.Queue // the same journal, or one in memory above it
	shared   bool         // with other processes
	batch    int          // clients that are planned at once
	maxTries int          // of one client
	began    time.Time
	stop     context.CancelCauseFunc

	counters   *counters
	planning   atomic.Bool
	unreadable atomic.Int64 // records in a row
	idle       alarm
}

func (f *Fleet) newRun() (*run, error) {
	r := &run{fleet: f, rotator: f.rotator, began: time.Now()}
	r.counters = newCounters(f.maxFailures, func(err error) { r.stop(err) })
	if f.audit != nil {
		var err error
		if r.rotator, err = f.rotator.With(rotate.WithObserver(r.write)); err != nil {
			return nil, err
		}
	}
	r.journal = &patient{Journal: f.rotator.Journal(), report: r.rotator.Observe, stop: func(err error) { r.stop(err) }}
	return r, nil
}

// write adds a line to the audit log. If it cannot be written the fleet stops.
func (r *run) write(ctx context.Context, e rotate.Event) {
	r.fleet.audit.Observe(ctx, e)
	if err := r.fleet.audit.Err(); err != nil {
		r.stop(fmt.Errorf("fleet: write the audit log: %w", err))
	}
}

// share takes the work from a queue that other processes use too.
func (r *run) share(queue rotate.Queue) {
	r.journal.queue = queue
	r.queue, r.shared, r.batch, r.maxTries = r.journal, true, sharedBatch, 3
}

// alone takes the work from a queue in memory. begin decides whether a client without a rotation in
// progress gets one.
func (r *run) alone(begin func(rotate.Record) bool) {
	r.queue, r.batch, r.maxTries = newLocalQueue(r.journal, begin), 1, 1
}

// do plans and works until nothing is left that could become due, and reports how that ended.
func (r *run) do(ctx context.Context, plan func(context.Context) error) (Report, error) {
	inner, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.stop = stop
	endProgress := reportProgress(r.counters, r.fleet.total, r.fleet.progressEvery, r.fleet.progress)
	r.planning.Store(true)
	var workers sync.WaitGroup
	for range r.fleet.concurrency {
		workers.Go(func() {
			if err := guarded("Journal", func() error { r.work(inner); return nil }); err != nil {
				stop(journalError(err))
			}
		})
	}
	err := guarded("the list of clients", func() error { return plan(inner) })
	r.planning.Store(false)
	r.idle.wake()
	workers.Wait()
	endProgress()
	if ended := inner.Err(); ended != nil {
		if errors.Is(err, ended) { // which says less than the cause
			err = nil
		}
		err = errors.Join(context.Cause(inner), err)
		if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
			err = errors.Join(ctx.Err(), err)
		}
	}
	return r.counters.final(r.shared && inner.Err() == nil), err
}

// plan puts clients into the queue.
func (r *run) plan(ctx context.Context, clients iter.Seq2[string, error]) error {
	batch := make([]string, 0, r.batch)
	flush := func() error {
		added, err := r.queue.Plan(ctx, batch)
		if err != nil {
			return journalError(err)
		}
		if !r.shared { // the others are in the queue already
			r.counters.addTo(&r.counters.report.Skipped, len(batch)-added)
		}
		batch = batch[:0]
		r.idle.wake()
		return nil
	}
	for id, err := range clients {
		if err != nil { // the clients before it are planned all the same
			return errors.Join(listFailed(err), flush())
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wanted, err := r.wanted(ctx, id)
		if err != nil {
			return err
		}
		if wanted {
			batch = append(batch, id)
		}
		if len(batch) == r.batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// planUnfinished puts the unfinished rotations of the journal into the queue.
func (r *run) planUnfinished(ctx context.Context) error {
	for id, err := range r.journal.Unfinished(ctx) {
		switch {
		case err == nil && r.counters.tries(id) > 0: // the list was begun again
			continue
		case err != nil && ofRecord(err):
			r.failed(ctx, "", err)
			continue
		case err != nil:
			return journalError(err)
		}
		if _, err := r.queue.Plan(ctx, []string{id}); err != nil {
			return err
		}
		r.idle.wake()
	}
	return nil
}

// wanted reports whether a client is to be planned. What it finds wrong with one client does not
// end the planning.
func (r *run) wanted(ctx context.Context, id string) (bool, error) {
	if err := project.CheckClientID(id); err != nil {
		r.failed(ctx, id, invalid(err.Error()))
		return false, nil
	}
	if !r.shared || r.fleet.olderThan == 0 {
		return true, nil
	}
	record, err := r.queue.Read(ctx, id)
	switch {
	case err != nil && ofRecord(err):
		r.failed(ctx, id, err)
		return false, nil
	case err != nil && !errors.Is(err, rotate.ErrNoRotation):
		return false, journalError(err)
	case record.State != "" && !record.State.Final():
		return false, nil // it is in the queue; a worker may complete it before Plan would look
	case r.recent(record):
		r.counters.add(&r.counters.report.Skipped)
		return false, nil
	}
	return true, nil
}

func (r *run) recent(record rotate.Record) bool { return r.fleet.recent(record, r.began) }
