package jwks

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	refreshAfter = 10 * time.Minute
	burst        = 3 // fetches that unknown key ids may cause at once
	refill       = 10 * time.Second
	absentFor    = 10 * time.Second // how long one id that was not there is not looked for again
	maxAbsent    = 256
	maxKeyID     = 256 // bytes; longer ids are never looked for
	firstBackoff = time.Second
	maxBackoff   = 30 * time.Second
)

// ErrUnknown means that the key set has no such key. Every other error of [Cache.Find] means that nobody knows.
var ErrUnknown = errors.New("unknown key id")

var errClosed = errors.New("the verifier is closed")

// Config is how a [Cache] gets keys.
type Config struct {
	URL       string
	Transport http.RoundTripper // nil: http.DefaultTransport
	Timeout   time.Duration     // of a fetch
	Seed      *Set              // keys to start with, or nil
	Offline   bool              // the seed is all there is
	MaxStale  time.Duration     // how long keys are used after they were fetched
	Observe   func(Refresh)     // called after every fetch, or nil
	Changed   func()            // called after other keys are in place, or nil
}

// Refresh is one fetch. See verify.KeyRefresh for its fields.
type Refresh struct {
	Err      error
	Keys     int
	Changed  bool
	Age      time.Duration
	Failures int
	Unknown  int64
	Took     time.Duration
}

// A Cache keeps one key set. Nothing runs while nobody uses it: whoever finds the keys old starts a fetch and does not wait
// for it. At most one fetch runs at a time; it belongs to the Cache, not to the caller who started it.
type Cache struct {
	config Config
	start  time.Time
	held   atomic.Pointer[held]
	due    atomic.Int64 // when the keys want a refresh, after start
	misses atomic.Int64 // unknown keys since the last fetch

	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu       sync.Mutex // of what follows; never held while something is waited for
	closed   bool
	flight   *flight
	failures int       // in a row
	lastErr  error     // of the last of them
	retryAt  time.Time // after a failure
	bucket   bucket
	absent   map[string]time.Time // ids that were not in the set, until when that is believed
}

// held is a key set and when it was fetched.
type held struct {
	set *Set
	at  time.Time
}

// A flight is a fetch under way. err is set before done is closed.
type flight struct {
	done chan struct{}
	err  error
}

// New makes a cache. It fetches nothing yet.
func New(config Config) *Cache {
	if config.Transport == nil {
		config.Transport = http.DefaultTransport
	}
	now := time.Now()
	c := &Cache{config: config, start: now, bucket: bucket{tokens: burst, at: now}, absent: make(map[string]time.Time)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if config.Seed != nil {
		c.held.Store(&held{&Set{Version: 1, keys: config.Seed.keys}, now})
	}
	return c
}

// Current returns the keys to use now, or nil if there are none or they are too old. It never waits.
func (c *Cache) Current(now time.Time) *Set {
	h := c.held.Load()
	if h == nil || c.config.Offline {
		return h.keys()
	}
	after := int64(now.Sub(c.start))
	if due := c.due.Load(); after >= due && c.due.CompareAndSwap(due, after+int64(c.config.Timeout)) { // one caller gets it
		c.mu.Lock()
		if c.flight == nil && !c.closed {
			c.fetch()
		}
		c.mu.Unlock()
	}
	if now.Sub(h.at) > c.config.MaxStale {
		return nil
	}
	return h.set
}

func (h *held) keys() *Set {
	if h == nil {
		return nil
	}
	return h.set
}

// Find returns a set that has the key. If there is none it waits, for as long as ctx lets it, for a fetch that began after
// the question was asked: a token may be signed with a key that is newer than the keys at hand.
func (c *Cache) Find(ctx context.Context, kid string) (*Set, error) {
	joined, settled := false, false
	for {
		set, f, own, err := c.ask(kid, settled)
		if f == nil {
			return set, err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if f.err != nil {
			return nil, f.err
		}
		// The first fetch that is joined may have begun too early to see the key. The next one cannot have.
		joined, settled = true, own || joined
	}
}

// ask returns a set that has the key, or the fetch to wait for, or why there is neither.
func (c *Cache) ask(kid string, settled bool) (set *Set, f *flight, own bool, err error) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.held.Load(); h != nil && (c.config.Offline || now.Sub(h.at) <= c.config.MaxStale) {
		set = h.set
	}
	switch {
	case set.Key([]byte(kid)) != nil:
		return set, nil, false, nil
	case settled:
		c.remember(kid, now)
		return nil, nil, false, c.unknown()
	case c.config.Offline || set != nil && (len(kid) > maxKeyID || now.Before(c.absent[kid])):
		return nil, nil, false, c.unknown()
	case c.flight != nil:
		return nil, c.flight, false, nil
	case c.closed:
		return nil, nil, false, errClosed
	case now.Before(c.retryAt):
		return nil, nil, false, c.lastErr
	case !c.bucket.take(now) && set != nil:
		return nil, nil, false, c.unknown()
	}
	return nil, c.fetch(), true, nil
}

func (c *Cache) unknown() error {
	c.misses.Add(1)
	return ErrUnknown
}

// remember keeps one id that is made up, and sent again and again, from using up what unknown ids are allowed.
func (c *Cache) remember(kid string, now time.Time) {
	if len(c.absent) >= maxAbsent {
		for id, until := range c.absent {
			if !now.Before(until) {
				delete(c.absent, id)
			}
		}
	}
	if len(c.absent) < maxAbsent && len(kid) <= maxKeyID {
		c.absent[kid] = now.Add(absentFor)
	}
}

// fetch starts a fetch. The caller holds the lock, and knows that none is under way and that the cache is open.
func (c *Cache) fetch() *flight {
	f := &flight{done: make(chan struct{})}
	c.flight = f
	c.tasks.Go(func() {
		began := time.Now()
		set, err := c.download()
		if err == nil {
			err = c.ctx.Err() // closed meanwhile
		}
		refresh := c.land(f, set, err)
		close(f.done)
		if refresh.Changed && c.config.Changed != nil {
			c.config.Changed()
		}
		if refresh.Took = time.Since(began); c.config.Observe != nil {
			c.config.Observe(refresh)
		}
	})
	return f
}

// land puts the result of a fetch in place, the whole set at once. A failure leaves the keys alone, and costs nothing of what
// unknown ids are allowed; it has its own, growing pause.
func (c *Cache) land(f *flight, set *Set, err error) (r Refresh) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight, f.err = nil, err
	old := c.held.Load()
	if old != nil {
		r.Age = now.Sub(old.at)
	}
	r.Err, r.Unknown = err, c.misses.Swap(0)
	next := jitter(refreshAfter)
	if err != nil {
		pause := jitter(min(firstBackoff<<min(c.failures, 10), maxBackoff))
		c.failures++
		c.lastErr = err
		c.retryAt, next = now.Add(pause), pause
		c.bucket.give()
		r.Keys = old.keys().Len()
	} else {
		c.failures, c.retryAt = 0, time.Time{}
		switch {
		case old == nil:
			set.Version, r.Changed = 1, true
		case old.set.equal(set):
			set = old.set
		default:
			set.Version, r.Changed = old.set.Version+1, true
		}
		if r.Changed {
			clear(c.absent)
		}
		c.held.Store(&held{set, now})
		r.Keys = set.Len()
	}
	r.Failures = c.failures
	c.due.Store(int64(now.Add(next).Sub(c.start)))
	return r
}

// Close ends the fetch that may be under way, waits for it, and lets none begin after it. Keys at hand can still be used.
func (c *Cache) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.tasks.Wait()
}

// jitter keeps a fleet that started together from staying together.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5) //nolint:gosec // not a secret
}
