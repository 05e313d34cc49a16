package jwks

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stytchkit/m2m/internal/conns"
	"github.com/stytchkit/m2m/internal/guard"
)

const (
	refreshAfter = 10 * time.Minute
	doubtAfter   = 30 * time.Second // while keys are kept that the last download lacked
	closeAfter   = 2 * time.Second  // how long Close waits
	firstBackoff = time.Second
	maxBackoff   = 30 * time.Second
)

// ErrUnknown means that the key set has no such key. Every other error of [Cache.Find] means that
// this is not known.
var ErrUnknown = errors.New("unknown key id")

var (
	errClosed  = errors.New("the verifier is closed")
	errLimited = errors.New("the key set lacks a key and was fetched for such keys too often: try again in 10 s")
)

// Config is how a [Cache] gets keys.
type Config struct {
	URL       string
	Transport http.RoundTripper // nil: one of its own
	Timeout   time.Duration     // of a fetch
	Seed      *Set              // keys to start with, or nil
	Offline   bool              // use the seed and never fetch
	MaxStale  time.Duration     // how long keys are used after they were fetched
	Overlap   time.Duration     // how long a key that a download lacks is used after the last one that had it

	// Observe is called after every fetch, in its goroutine, with a context that ends with Close.
	// It may be nil.
	Observe func(context.Context, Fetch)

	// Changed is called after other keys are in place, before Observe. It may be nil.
	Changed func()
}

// Fetch is one attempt at fetching the key set.
type Fetch struct {
	Err         error
	Duration    time.Duration
	Keys        int           // in place after it
	Kept        int           // of these, keys that it lacked
	Dropped     []string      // keys that it had and that cannot be used, see Set.Dropped
	Changed     bool          // they differ from those before
	Age         time.Duration // of the keys before it, 0 if there were none
	Failures    int           // in a row, this one included
	UnknownKeys int64         // how often Find did not find a key since the fetch before
}

// A Cache keeps one key set. Nothing runs while it is not used: the first caller that finds the
// keys old starts a fetch and does not wait for it. At most one fetch runs at a time. It belongs to
// the Cache, not to the caller that started it.
type Cache struct {
	config   Config
	download download
	start    time.Time
	current  atomic.Pointer[fetched]
	due      atomic.Int64 // when the keys need a refresh, as a duration after start
	unknown  atomic.Int64 // unknown keys since the last fetch

	ctx       context.Context
	cancel    context.CancelFunc
	tasks     sync.WaitGroup
	closeIdle func() // connections of a transport of its own

	mu       sync.Mutex // of the fields below; never held while waiting
	closed   bool
	running  *fetch    // nil: none
	failures int       // in a row
	lastErr  error     // of the last of them
	retryAt  time.Time // after a failure
	bucket   bucket
	absent   absent
}

// A fetch is in progress until done is closed. err is set before that.
type fetch struct {
	done chan struct{}
	err  error
}

// New makes a cache. It fetches nothing yet.
func New(config Config) *Cache {
	now := time.Now()
	c := &Cache{start: now, bucket: bucket{tokens: burst, at: now}, absent: absent{}, closeIdle: func() {}}
	c.download = download{config.URL, nil, config.Timeout}
	if config.Transport != nil {
		c.download.roundTrip = config.Transport.RoundTrip
	} else {
		own := conns.New()
		own.IdleTimeout = 30 * time.Second // the next fetch is far away
		c.download.roundTrip, c.closeIdle = own.RoundTrip, own.CloseIdleConnections
	}
	config.Transport = nil // held by the func alone
	c.config = config
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if config.Seed != nil {
		c.current.Store(&fetched{set: &Set{Version: 1, keys: config.Seed.keys}, at: now, seed: true})
	}
	return c
}

// Current returns the keys to use now, or nil if there are none or they are too old. It never
// waits.
func (c *Cache) Current(now time.Time) *Set {
	f := c.current.Load()
	if f == nil || c.config.Offline {
		return f.keys()
	}
	after := int64(now.Sub(c.start))
	if due := c.due.Load(); after >= due && c.due.CompareAndSwap(due, after+int64(c.config.Timeout)) { // one caller gets it
		c.mu.Lock()
		if c.running == nil && !c.closed {
			c.fetch()
		}
		c.mu.Unlock()
	}
	if f.outlived(now) {
		c.mu.Lock()
		f = c.expire(now)
		c.mu.Unlock()
	}
	return c.usable(f, now)
}

// expire takes out kept keys whose time is over. The caller holds the lock.
func (c *Cache) expire(now time.Time) *fetched {
	f := c.current.Load()
	if f.outlived(now) {
		f = f.without(now, c.config.Overlap)
		c.current.Store(f)
	}
	return f
}

// usable returns the keys unless they are too old.
func (c *Cache) usable(f *fetched, now time.Time) *Set {
	if f == nil || !c.config.Offline && now.Sub(f.at) > c.config.MaxStale {
		return nil
	}
	return f.set
}

// Find returns a set that has the key. If the keys in place do not have it, Find waits, until ctx
// ends, for a fetch that began after the call: a token may be signed with a key that is newer than
// the keys in place.
func (c *Cache) Find(ctx context.Context, kid string) (*Set, error) {
	joined, conclusive := false, false
	for {
		set, f, started, err := c.lookup(kid, conclusive)
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
		// The first fetch that was joined may have begun before the key existed. Any later one
		// began after the call.
		joined, conclusive = true, started || joined
	}
}

// lookup returns a set that has the key, or the fetch to wait for and whether it was started here,
// or why there is neither. After a conclusive fetch, it starts no other.
func (c *Cache) lookup(kid string, conclusive bool) (set *Set, f *fetch, started bool, err error) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	set = c.usable(c.expire(now), now)
	switch {
	case set.Key([]byte(kid)) != nil:
		return set, nil, false, nil
	case conclusive:
		c.absent.add(kid, now)
		return nil, nil, false, c.countUnknown()
	case c.config.Offline, set != nil && c.absent.has(kid, now):
		return nil, nil, false, c.countUnknown()
	case c.running != nil:
		return nil, c.running, false, nil
	case c.closed:
		return nil, nil, false, errClosed
	case now.Before(c.retryAt):
		return nil, nil, false, c.lastErr
	case !c.bucket.take(now) && set != nil:
		c.unknown.Add(1)
		return nil, nil, false, errLimited // not looked for is not unknown
	}
	return nil, c.fetch(), true, nil
}

func (c *Cache) countUnknown() error {
	c.unknown.Add(1)
	return ErrUnknown
}

// fetch starts a fetch. The caller holds the lock, and knows that none is running and that the
// cache is open.
func (c *Cache) fetch() *fetch {
	f := &fetch{done: make(chan struct{})}
	c.running = f
	c.tasks.Go(func() {
		began := time.Now()
		set, err := c.download.run(c.ctx)
		result := c.finish(f, set, err)
		close(f.done)
		if result.Changed && c.config.Changed != nil {
			c.config.Changed()
		}
		if result.Duration = time.Since(began); c.config.Observe != nil {
			c.config.Observe(c.ctx, result)
		}
	})
	return f
}

// finish puts the result of a fetch in place, the whole set at once. After a failure, the keys stay
// as they are and the next fetch waits for a growing pause; the bucket gets its token back.
func (c *Cache) finish(f *fetch, set *Set, err error) (result Fetch) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, f.err = nil, err
	old := c.current.Load()
	if old != nil {
		result.Age = now.Sub(old.at)
	}
	result.Err, result.UnknownKeys = err, c.unknown.Swap(0)
	next := jitter(refreshAfter)
	if err != nil {
		next = jitter(min(firstBackoff<<min(c.failures, 10), maxBackoff))
		c.failures++
		c.lastErr, c.retryAt = err, now.Add(next)
		c.bucket.give()
	} else {
		c.failures, c.retryAt = 0, time.Time{}
		result.Dropped = set.Dropped()
		result.Changed = c.install(set, old, now)
		if len(c.current.Load().kept) > 0 {
			next = jitter(doubtAfter) // to learn soon whether the keys are gone
		}
	}
	result.Failures = c.failures
	if now := c.current.Load(); now != nil {
		result.Keys, result.Kept = now.set.Len(), len(now.kept)
	}
	c.due.Store(int64(now.Add(next).Sub(c.start)))
	return result
}

// install puts a key set in the place of old, which may be nil, and reports whether there are other
// keys in place then.
func (c *Cache) install(set *Set, old *fetched, now time.Time) (changed bool) {
	next := old.replaced(set, now, c.config.Overlap)
	if changed = old == nil || next.set != old.set; changed {
		clear(c.absent)
	}
	c.current.Store(next)
	return changed
}

// Close stops the fetch that may be running, waits for it, and prevents others. An observer that
// ignores its context is left behind. Keys in place can still be used. It always returns nil.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	guard.Wait(&c.tasks, closeAfter)
	c.closeIdle()
	return nil
}

// jitter spreads the fetches of processes that started together.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5) //nolint:gosec // not a secret
}
