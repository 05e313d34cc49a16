package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

// server is a server with any number of clients, and the place that secrets are delivered to. The
// secret of a client is what initial says at first.
type server struct {
	mu        sync.Mutex
	clients   map[string]*client
	forgetful bool // about clients whose rotation is over
	calls     int  // of the target and the prober
	tokens    int
	working   int // calls now
	most      int // calls at once
	log       []time.Time
	hook      func(what, id string) error // before each call and delivery
	held      map[string]rotate.Delivery
}

type client struct {
	current, next    string
	starts, complete int
}

func initial(id string) string { return "canary-" + id + "-init" }

func newServer() *server {
	return &server{clients: map[string]*client{}, held: map[string]rotate.Delivery{}}
}

func (p *server) call(what, id string, effect func(c *client) error) error {
	p.mu.Lock()
	p.calls++
	p.working++
	p.most = max(p.most, p.working)
	if !p.forgetful {
		p.log = append(p.log, time.Now())
	}
	hook := p.hook
	p.mu.Unlock()
	var err error
	if hook != nil {
		err = hook(what, id)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.working--
	if err != nil {
		return err
	}
	return effect(p.client(id))
}

func (p *server) client(id string) *client {
	c := p.clients[id]
	if c == nil {
		c = &client{current: initial(id)}
		p.clients[id] = c
	}
	return c
}

func (p *server) Start(_ context.Context, id string) (next secret.String, err error) {
	err = p.call("start", id, func(c *client) error {
		if c.next != "" {
			return &fault{"already rotating"}
		}
		c.starts++
		c.next = fmt.Sprintf("canary-%s-%04d", id, c.starts)
		next = secret.New(c.next)
		return nil
	})
	return next, err
}

func (p *server) Complete(_ context.Context, id string) error {
	return p.call("complete", id, func(c *client) error {
		if c.next == "" {
			return &fault{"not rotating"}
		}
		c.complete++
		c.current, c.next = c.next, ""
		return nil
	})
}

func (p *server) Cancel(_ context.Context, id string) error {
	return p.call("cancel", id, func(c *client) error { c.next = ""; return nil })
}

func (p *server) LastFour(_ context.Context, id string) (seen secret.LastFour, err error) {
	err = p.call("pending", id, func(c *client) error {
		seen = secret.LastFour{Current: end(c.current), Next: end(c.next)}
		return nil
	})
	return seen, err
}

func end(s string) string { return s[max(0, len(s)-4):] }

func (p *server) Probe(_ context.Context, id string, s secret.String) (accepted bool, err error) {
	err = p.call("probe", id, func(c *client) error {
		accepted = s.Reveal() == c.current || c.next != "" && s.Reveal() == c.next
		if accepted {
			p.tokens++
		}
		return nil
	})
	return accepted, err
}

func (p *server) Deliver(_ context.Context, d rotate.Delivery) error {
	p.mu.Lock()
	hook := p.hook
	p.mu.Unlock()
	if hook != nil {
		if err := hook("deliver", d.ClientID); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.forgetful {
		p.held[d.ClientID] = d
	}
	return nil
}

// current returns the secret in use.
func (p *server) current(_ context.Context, id string) (secret.String, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if held, ok := p.held[id]; ok {
		return held.Secret, nil
	}
	return secret.New(initial(id)), nil
}

// ended is an observer that makes a forgetful server forget.
func (p *server) ended(_ context.Context, e rotate.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.forgetful && e.To.Final() {
		delete(p.clients, e.ClientID)
	}
}

func (p *server) rotator(tb testing.TB, j rotate.Journal, options ...rotate.Option) *rotate.Rotator {
	tb.Helper()
	r, err := rotate.New(p, p, j, append([]rotate.Option{rotate.WithCurrent(p.current), rotate.WithObserver(p.ended)}, options...)...)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// once checks that the clients were completed exactly once, have what was delivered, and have
// nothing pending.
func (p *server) once(tb testing.TB, ids []string) {
	tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		c := p.client(id)
		if c.complete != 1 || c.next != "" || p.held[id].Secret.Reveal() != c.current {
			tb.Errorf("%s: completed %d times, pending: %t; the delivered secret works: %t",
				id, c.complete, c.next != "", p.held[id].Secret.Reveal() == c.current)
		}
	}
}

func (p *server) completed() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.clients {
		n += c.complete
	}
	return n
}

// memory is a journal in memory.
type memory struct {
	mu        sync.Mutex
	forgetful bool // about what is over
	records   map[string]rotate.Record
	leases    map[string]lease
	due       map[string]time.Time // of a queue
	reads     int
	released  int   // claims
	listing   error // of Unfinished
}

type lease struct {
	owner *memoryClaim
	until time.Time
}

func newMemory() *memory {
	return &memory{records: map[string]rotate.Record{}, leases: map[string]lease{}, due: map[string]time.Time{}}
}

// over is how many claims were released.
func (s *memory) over() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.released
}

func (s *memory) free(id string) bool { return !time.Now().Before(s.leases[id].until) }

func (s *memory) claim(id string, life time.Duration) *memoryClaim {
	c := &memoryClaim{s: s, id: id, life: life, rec: s.records[id]}
	s.leases[id] = lease{c, time.Now().Add(life)}
	return c
}

func (s *memory) Claim(ctx context.Context, id string, life time.Duration) (rotate.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !s.free(id) {
		return nil, rotate.ErrBusy
	}
	return s.claim(id, life), nil
}

func (s *memory) Read(_ context.Context, id string) (rotate.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	rec, ok := s.records[id]
	if !ok {
		return rotate.Record{}, rotate.ErrNoRotation
	}
	return rec, nil
}

func active(r rotate.Record) bool { return !r.State.Final() }

func (s *memory) Unfinished(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		s.mu.Lock()
		ids, err := slices.Sorted(maps.Keys(s.records)), s.listing
		s.mu.Unlock()
		if err != nil && !yield("", err) {
			return
		}
		for _, id := range ids {
			s.mu.Lock()
			unfinished := active(s.records[id])
			s.mu.Unlock()
			if unfinished && !yield(id, nil) {
				return
			}
		}
	}
}

func (s *memory) state(id string) rotate.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[id].State
}

func (s *memory) count(state rotate.State) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.records {
		if r.State == state {
			n++
		}
	}
	return n
}

type memoryClaim struct {
	s    *memory
	id   string
	life time.Duration
	rec  rotate.Record
}

func (c *memoryClaim) lost() bool { return c.s.leases[c.id].owner != c }

func (c *memoryClaim) Record() rotate.Record { return c.rec }

func (c *memoryClaim) Write(_ context.Context, r rotate.Record) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.lost() {
		return rotate.ErrBusy
	}
	c.rec, c.s.records[c.id] = r, r
	c.s.leases[c.id] = lease{c, time.Now().Add(c.life)}
	if c.s.forgetful && r.State.Final() {
		delete(c.s.records, c.id)
	}
	return nil
}

func (c *memoryClaim) Release(context.Context) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if !c.lost() {
		delete(c.s.leases, c.id)
		c.s.released++
	}
	return nil
}

// memoryQueue is a memory that hands out work.
type memoryQueue struct {
	*memory
	deferred []time.Duration
	plans    []int // sizes of the batches
	failing  int   // of the next calls of Next
}

func newQueue() *memoryQueue { return &memoryQueue{memory: newMemory()} }

func (l *memoryQueue) Plan(_ context.Context, ids []string) (added int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plans = append(l.plans, len(ids))
	for _, id := range ids {
		if rec, ok := l.records[id]; ok && active(rec) {
			continue
		}
		l.records[id] = rotate.Record{RotationID: "of-" + id, ClientID: id, State: rotate.Planned, PlannedAt: time.Now(), UpdatedAt: time.Now()}
		l.due[id] = time.Now()
		added++
	}
	return added, nil
}

func (l *memoryQueue) Next(ctx context.Context, life time.Duration) (rotate.Claim, time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	if l.failing > 0 {
		l.failing--
		return nil, 0, errors.New("the queue is down")
	}
	var first string
	var soonest time.Time
	for _, id := range slices.Sorted(maps.Keys(l.records)) {
		rec := l.records[id]
		if !active(rec) || rec.State == rotate.NeedsHuman {
			continue
		}
		at := l.due[id]
		for _, other := range []time.Time{rec.GraceUntil, l.leases[id].until} {
			if other.After(at) {
				at = other
			}
		}
		if first == "" || at.Before(soonest) {
			first, soonest = id, at
		}
	}
	if first == "" {
		return nil, 0, rotate.ErrNoRotation
	}
	if wait := time.Until(soonest); wait > 0 {
		return nil, wait, rotate.ErrNoRotation
	}
	return l.claim(first, life), 0, nil
}

func (l *memoryQueue) Defer(ctx context.Context, held rotate.Claim, until time.Time) error {
	c := held.(*memoryClaim)
	l.mu.Lock()
	if !c.lost() {
		l.due[c.id] = until
		l.deferred = append(l.deferred, time.Until(until))
	}
	l.mu.Unlock()
	return c.Release(ctx)
}

// fault is a request that certainly had no effect.
type fault struct{ text string }

func (e *fault) Error() string        { return e.text }
func (e *fault) OutcomeUnknown() bool { return false }

func newFleet(tb testing.TB, r *rotate.Rotator, options ...fleet.Option) *fleet.Fleet {
	tb.Helper()
	f, err := fleet.New(r, options...)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func newBucket(tb testing.TB, perSecond float64, burst int) *rotate.Bucket {
	tb.Helper()
	b, err := rotate.NewBucket(perSecond, burst)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// names are the ids of n clients, as a list and as an iterator.
func names(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("client-%05d", i)
	}
	return ids
}

func each(ids []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, id := range ids {
			if !yield(id, nil) {
				return
			}
		}
	}
}

// journals are both kinds.
var journals = map[string]func() (rotate.Journal, *memory){
	"journal": func() (rotate.Journal, *memory) { s := newMemory(); return s, s },
	"queue":   func() (rotate.Journal, *memory) { l := newQueue(); return l, l.memory },
}
