package fleet

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// readAhead is how many clients a local queue holds that are not begun. It bounds memory, and lets
// a search be read only as fast as its clients are rotated.
const readAhead = 1000

// localQueue makes a queue of a journal that is not one, in the memory of this process. Rotations
// whose wait is over come first, then new clients in the order in which they were planned.
type localQueue struct {
	rotate.Journal
	begin func(rotate.Record) bool // whether a client without a rotation in progress gets one
	slots chan struct{}            // one for each of fresh

	mu      sync.Mutex
	fresh   []string
	waiting waitHeap
	known   map[string]struct{} // clients that are fresh, waiting or claimed
	claimed int
}

func newLocalQueue(journal rotate.Journal, begin func(rotate.Record) bool) *localQueue {
	return &localQueue{Journal: journal, begin: begin, slots: make(chan struct{}, readAhead), known: map[string]struct{}{}}
}

// Plan implements [rotate.Queue]. It waits while the queue is full. Clients that are in it already
// are not added.
func (q *localQueue) Plan(ctx context.Context, clientIDs []string) (added int, err error) {
	for _, id := range clientIDs {
		select {
		case q.slots <- struct{}{}:
		case <-ctx.Done():
			return added, ctx.Err()
		}
		q.mu.Lock()
		_, known := q.known[id]
		if !known {
			q.known[id] = struct{}{}
			q.fresh = append(q.fresh, id)
			added++
		}
		q.mu.Unlock()
		if known {
			<-q.slots
		}
	}
	return added, nil
}

// Next implements [rotate.Queue]. If the next client cannot be claimed the error is a clientError.
func (q *localQueue) Next(ctx context.Context, life time.Duration) (rotate.Claim, time.Duration, error) {
	for {
		next, wait := q.take()
		if next.clientID == "" {
			return nil, wait, rotate.ErrNoRotation
		}
		claim, err := q.Claim(ctx, next.clientID, life)
		if err != nil {
			q.forget(next.clientID)
			return nil, 0, &clientError{next.clientID, next.waited, err}
		}
		c := &localClaim{Claim: claim, queue: q, entry: next}
		if record := claim.Record(); !inProgress(record) {
			if !q.begin(record) {
				_ = c.Release(ctx) // otherwise it expires
				continue
			}
			c.planned = rotate.NewRecord(next.clientID, time.Now())
		}
		return c, 0, nil
	}
}

func inProgress(r rotate.Record) bool { return r.State != "" && !r.State.Final() }

// take takes the next client out. If none is due it says when to ask again; 0 if nothing is left.
func (q *localQueue) take() (next entry, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	wait = longestIdle
	if len(q.waiting) > 0 {
		wait = time.Until(q.waiting[0].due)
	}
	switch {
	case len(q.waiting) > 0 && wait <= 0:
		q.claimed++
		return heap.Pop(&q.waiting).(entry), 0
	case len(q.fresh) > 0:
		q.claimed++
		id := q.fresh[0]
		q.fresh = q.fresh[1:]
		<-q.slots
		return entry{clientID: id}, 0
	case len(q.waiting) == 0 && q.claimed == 0:
		return entry{}, 0
	}
	return entry{}, wait
}

// forget ends what take began.
func (q *localQueue) forget(clientID string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.known, clientID)
	q.claimed--
}

// Defer implements [rotate.Queue].
func (q *localQueue) Defer(ctx context.Context, claim rotate.Claim, until time.Time) error {
	c := claim.(*localClaim)
	if c.released {
		return nil
	}
	c.released = true
	err := c.Claim.Release(ctx) // without which the next claim is busy until this one expires
	q.mu.Lock()
	defer q.mu.Unlock()
	heap.Push(&q.waiting, entry{c.clientID, until, inProgress(c.Claim.Record())})
	q.claimed--
	return err
}

// localClaim is a claim of a [localQueue].
type localClaim struct {
	rotate.Claim
	queue *localQueue
	entry
	planned  rotate.Record // to be begun, and not written yet
	released bool
}

// waited reports whether a claim is of a rotation that was deferred before.
func waited(claim rotate.Claim) bool {
	if c, ok := claim.(*localClaim); ok {
		return c.waited
	}
	return claim.Record().State == rotate.Grace
}

// willHaveWaited reports what waited will report of the next claim if this one is deferred.
func willHaveWaited(claim rotate.Claim) bool {
	if c, ok := claim.(*localClaim); ok {
		return inProgress(c.Claim.Record())
	}
	return claim.Record().State == rotate.Grace
}

// patientOf is the claim below what a queue handed out.
func patientOf(claim rotate.Claim) *patientClaim {
	if c, ok := claim.(*localClaim); ok {
		claim = c.Claim
	}
	return claim.(*patientClaim)
}

// Record implements [rotate.Claim].
func (c *localClaim) Record() rotate.Record {
	if c.planned.State != "" {
		return c.planned
	}
	return c.Claim.Record()
}

// Write implements [rotate.Claim].
func (c *localClaim) Write(ctx context.Context, r rotate.Record) error {
	err := c.Claim.Write(ctx, r)
	if err == nil {
		c.planned = rotate.Record{}
	}
	return err
}

// Release implements [rotate.Claim].
func (c *localClaim) Release(ctx context.Context) error {
	if c.released {
		return nil
	}
	c.released = true
	defer c.queue.forget(c.clientID)
	return c.Claim.Release(ctx)
}

// entry is a client in a [localQueue].
type entry struct {
	clientID string
	due      time.Time
	waited   bool // it is in progress, and was deferred by this process
}

// waitHeap is a heap of entries, the one due first on top.
type waitHeap []entry

func (h waitHeap) Len() int           { return len(h) }
func (h waitHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h waitHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *waitHeap) Push(x any)        { *h = append(*h, x.(entry)) }

func (h *waitHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = entry{}
	*h = (*h)[:last]
	return e
}
