package fleet_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

var errRestarting = errors.New("the database system is starting up")

// outages is a queue that is down at times. A write at the beginning of an outage is stored, and
// its response is lost.
type outages struct {
	*memoryQueue
	at   []time.Time     // when the outages begin
	last time.Duration   // how long each lasts
	sick map[string]bool // clients that it can neither claim nor write
}

func (o *outages) down(clientID string) error {
	for _, at := range o.at {
		if since := time.Since(at); since >= 0 && since < o.last {
			return errRestarting
		}
	}
	if o.sick[clientID] {
		return errRestarting
	}
	return nil
}

func (o *outages) begins() bool {
	for _, at := range o.at {
		if since := time.Since(at); since >= 0 && since < time.Second {
			return true
		}
	}
	return false
}

func (o *outages) Claim(ctx context.Context, id string, life time.Duration) (rotate.Claim, error) {
	if err := o.down(id); err != nil {
		return nil, err
	}
	c, err := o.memoryQueue.Claim(ctx, id, life)
	if err != nil {
		return nil, err
	}
	return &outageClaim{c, o, id}, nil
}

func (o *outages) Read(ctx context.Context, id string) (rotate.Record, error) {
	if err := o.down(id); err != nil {
		return rotate.Record{}, err
	}
	return o.memoryQueue.Read(ctx, id)
}

func (o *outages) Unfinished(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for id, err := range o.memoryQueue.Unfinished(ctx) {
			if down := o.down(""); down != nil { // also in the middle
				yield("", down)
				return
			}
			if !yield(id, err) {
				return
			}
		}
	}
}

func (o *outages) Plan(ctx context.Context, ids []string) (int, error) {
	if err := o.down(""); err != nil {
		return 0, err
	}
	return o.memoryQueue.Plan(ctx, ids)
}

func (o *outages) Next(ctx context.Context, life time.Duration) (rotate.Claim, time.Duration, error) {
	if err := o.down(""); err != nil {
		return nil, 0, err
	}
	c, wait, err := o.memoryQueue.Next(ctx, life)
	if err != nil {
		return nil, wait, err
	}
	return &outageClaim{c, o, c.Record().ClientID}, 0, nil
}

func (o *outages) Defer(ctx context.Context, claim rotate.Claim, until time.Time) error {
	c := claim.(*outageClaim)
	if err := o.down(""); err != nil {
		return err
	}
	return o.memoryQueue.Defer(ctx, c.Claim, until)
}

type outageClaim struct {
	rotate.Claim
	o  *outages
	id string
}

func (c *outageClaim) Write(ctx context.Context, r rotate.Record) error {
	err := c.o.down(c.id)
	if err == nil || c.o.begins() {
		err = errors.Join(err, c.Claim.Write(ctx, r))
	}
	return err
}

func (c *outageClaim) Release(ctx context.Context) error {
	if err := c.o.down(""); err != nil {
		return err
	}
	return c.Claim.Release(ctx)
}

// plainOutages is the same without the methods of a queue.
type plainOutages struct{ rotate.Journal }

// watch counts the faults of the journal that observers see.
type watch struct {
	mu     sync.Mutex
	faults int
	others []error
}

func (w *watch) observe(_ context.Context, e rotate.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(e.Err, rotate.ErrJournal) && errors.Is(e.Err, errRestarting):
		w.faults++
	case e.Err != nil:
		w.others = append(w.others, e.Err)
	}
}

// A journal that is down for a while delays a fleet. No client fails because of it, each is counted
// once by the process that finished it, and the observers see it.
func TestJournalOutage(t *testing.T) {
	for name, test := range map[string]struct {
		last   time.Duration
		grace  time.Duration
		fleets int
		plain  bool
	}{
		"queue, short":         {3 * time.Second, 0, 1, false},
		"queue, long":          {3 * time.Minute, 0, 1, false},
		"queue, grace":         {3 * time.Minute, 2 * time.Minute, 1, false},
		"queue, four fleets":   {3 * time.Second, 0, 4, false},
		"queue, four and long": {3 * time.Minute, 2 * time.Minute, 4, false},
		"journal, short":       {3 * time.Second, 0, 1, true},
		"journal, long":        {3 * time.Minute, 2 * time.Minute, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, w := newServer(), &watch{}
				p.hook = func(string, string) error { time.Sleep(20 * time.Millisecond); return nil }
				now := time.Now()
				o := &outages{memoryQueue: newQueue(), last: test.last, at: []time.Time{now.Add(2 * time.Second), now.Add(10 * time.Minute)}}
				journal := rotate.Journal(o)
				if test.plain {
					journal = plainOutages{o}
				}
				ids := names(400)
				list := func(yield func(string, error) bool) {
					for i, id := range ids {
						if i == 200 {
							time.Sleep(10 * time.Minute) // for the second outage
						}
						if !yield(id, nil) {
							return
						}
					}
				}
				var total fleet.Report
				var group sync.WaitGroup
				for i := range test.fleets {
					f := newFleet(t, p.rotator(t, journal, rotate.WithGrace(test.grace), rotate.WithObserver(w.observe)), fleet.WithMaxFailures(1))
					group.Go(func() {
						clients := iter.Seq2[string, error](list)
						if i > 0 {
							clients = nil
							time.Sleep(time.Second)
						}
						report, err := f.Run(t.Context(), clients)
						if err != nil {
							t.Errorf("fleet %d: %v", i, err)
						}
						o.mu.Lock()
						defer o.mu.Unlock()
						total.Done += report.Done
						total.Failed += report.Failed
						total.Left += report.Left
					})
				}
				group.Wait()
				if test.fleets > 1 { // one may have ended while the others waited for the list
					rest, err := newFleet(t, p.rotator(t, journal, rotate.WithGrace(test.grace))).Run(t.Context(), nil)
					if err != nil {
						t.Error(err)
					}
					total.Done += rest.Done
				}
				counts(t, total, fleet.Report{Done: len(ids)})
				p.once(t, ids)
				if w.faults == 0 || len(w.others) > 0 {
					t.Errorf("observers saw %d faults of the journal, and %v", w.faults, w.others)
				}
			})
		})
	}
}

// A journal that does not come back ends the fleet after some minutes, and no client failed.
func TestJournalStaysDown(t *testing.T) {
	for _, answers := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := newServer()
			p.hook = func(string, string) error { time.Sleep(20 * time.Millisecond); return nil }
			began := time.Now()
			o := &outages{memoryQueue: newQueue(), last: time.Hour, at: []time.Time{began}}
			if answers {
				o.at[0] = began.Add(time.Second)
			}
			ids := names(400)
			f := newFleet(t, p.rotator(t, o), fleet.WithOlderThan(2*time.Hour))
			first, err := f.Run(t.Context(), each(ids))
			if !errors.Is(err, rotate.ErrJournal) || !errors.Is(err, errRestarting) || errors.Is(err, fleet.ErrTooManyFailures) {
				t.Errorf("Run: %v", err)
			}
			if first.Failed+first.Busy != 0 || answers != (first.Done > 0) {
				t.Errorf("Run: %+v", first)
			}
			if took := time.Since(began); took > 10*time.Minute || !answers && took > time.Minute {
				t.Errorf("took %v", took)
			}
			time.Sleep(time.Hour)
			second, err := f.Run(t.Context(), each(ids))
			if err != nil || second.Failed+second.Busy+second.Left != 0 {
				t.Errorf("Run when it is back: %+v, %v", second, err)
			}
			p.once(t, ids)
		})
	}
}

// What fails for one client while the others are served is that client's failure.
func TestJournalFailsOneClient(t *testing.T) {
	for _, plain := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := newServer()
			p.hook = func(string, string) error { time.Sleep(time.Second); return nil }
			o := &outages{memoryQueue: newQueue(), sick: map[string]bool{"client-00003": true}}
			journal := rotate.Journal(o)
			if plain {
				journal = plainOutages{o}
			}
			report, err := newFleet(t, p.rotator(t, journal)).Run(t.Context(), each(names(200)))
			if err != nil {
				t.Errorf("Run: %v", err)
			}
			counts(t, report, fleet.Report{Done: 199, Failed: 1})
			if p.tokens > 199*3+20 {
				t.Errorf("%d tokens", p.tokens)
			}
		})
	}
}

// Resume begins a list again that broke off, and takes each client once.
func TestResumeListBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newServer(), &outages{memoryQueue: newQueue(), last: 10 * time.Second}
		ids := names(2000)
		if _, err := o.Plan(t.Context(), ids); err != nil {
			t.Fatal(err)
		}
		failed := sick(500)
		p.hook = func(what, id string) error { time.Sleep(20 * time.Millisecond); return failed(what, id) }
		o.at = []time.Time{time.Now().Add(3 * time.Second)}
		report, err := newFleet(t, p.rotator(t, o)).Resume(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		report.Skipped = 0
		counts(t, report, fleet.Report{Done: 1996, Failed: 4})
	})
}
