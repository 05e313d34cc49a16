package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stytchkit/m2m/stytch/token"
)

// DefaultPrefix begins the keys of a [Store] that was given no other one.
const DefaultPrefix = "stytch-m2m:"

// DefaultTimeout is how long an operation may take: a token from Redis is to be had sooner, or it is not worth waiting for.
const DefaultTimeout = 150 * time.Millisecond

// Store keeps tokens in Redis or Valkey. It is safe for concurrent use.
type Store struct {
	client  goredis.UniversalClient
	prefix  string
	timeout time.Duration
}

var _ token.Store = (*Store)(nil)

// Option changes what NewStore makes.
type Option func(*Store) error

// WithPrefix begins the keys with prefix, which may be empty. Services that are to share tokens need the same one.
func WithPrefix(prefix string) Option {
	return func(s *Store) error {
		s.prefix = prefix
		return nil
	}
}

// WithTimeout limits the time of each operation. It must be positive.
func WithTimeout(limit time.Duration) Option {
	return func(s *Store) error {
		if limit <= 0 {
			return fmt.Errorf("stytch/redis: the timeout is %v, must be positive", limit)
		}
		s.timeout = limit
		return nil
	}
}

// NewStore returns a store that uses client, which may be for one server, for sentinels or for a cluster, stays the caller's
// to close, and may be used for other things. It does not connect: a server that is down is no error here.
func NewStore(client goredis.UniversalClient, opts ...Option) (*Store, error) {
	if client == nil {
		return nil, errors.New("stytch/redis: nil client")
	}
	s := &Store{client: client, prefix: DefaultPrefix, timeout: DefaultTimeout}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("stytch/redis: nil Option")
		}
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Get implements [token.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	return within(ctx, s.timeout, func(ctx context.Context) ([]byte, error) {
		value, err := s.client.Get(ctx, s.prefix+key).Bytes()
		if errors.Is(err, goredis.Nil) {
			return nil, nil
		}
		return value, err
	})
}

// Put implements [token.Store].
func (s *Store) Put(ctx context.Context, key string, value []byte, life time.Duration) error {
	if life < time.Millisecond { // go-redis takes some such values for "for ever"
		return errLife
	}
	_, err := within(ctx, s.timeout, func(ctx context.Context) (string, error) {
		return s.client.Do(ctx, "SET", s.prefix+key, value, "PX", life.Milliseconds()).Text()
	})
	return err
}

// Lease implements [token.Store].
func (s *Store) Lease(ctx context.Context, key, owner string, life time.Duration) (bool, error) {
	if life < time.Millisecond {
		return false, errLife
	}
	return within(ctx, s.timeout, func(ctx context.Context) (bool, error) {
		return leaseScript.Run(ctx, s.client, []string{s.prefix + key}, owner, life.Milliseconds()).Bool()
	})
}

// Release implements [token.Store].
func (s *Store) Release(ctx context.Context, key, owner string) error {
	_, err := within(ctx, s.timeout, func(ctx context.Context) (int, error) {
		return releaseScript.Run(ctx, s.client, []string{s.prefix + key}, owner).Int()
	})
	return err
}

var errLife = errors.New("stytch/redis: a life under 1 ms")

var (
	// The client repeats a command whose answer was lost; the second half makes that harmless.
	leaseScript = goredis.NewScript(`
		if redis.call("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) or redis.call("GET", KEYS[1]) == ARGV[1] then
			return 1
		end
		return 0`)

	// The lease may have ended in the meantime and be another owner's.
	releaseScript = goredis.NewScript(`
		if redis.call("GET", KEYS[1]) == ARGV[1] then
			return redis.call("DEL", KEYS[1])
		end
		return 0`)
)

// within returns after limit, or when ctx ends, whatever the client does: by default go-redis heeds only its own timeouts
// while it waits for an answer (3 s; see ContextTimeoutEnabled) or dials (5 s). Until then the operation may go on alone.
func within[T any](ctx context.Context, limit time.Duration, operation func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return *new(T), err
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := operation(ctx)
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return *new(T), fmt.Errorf("stytch/redis: no answer within %v: %w", limit, ctx.Err())
	}
}
