package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stytchkit/m2m/stytch/token"
)

// ErrInvalidArgument is [token.ErrInvalidArgument], for the arguments of this package.
var ErrInvalidArgument = token.ErrInvalidArgument

// Store keeps tokens in Redis or Valkey. It is safe for concurrent use.
type Store struct {
	client goredis.UniversalClient
	settings
}

var _ token.Store = (*Store)(nil)

// NewStore returns a store that uses client, which may be for one server, sentinels or a cluster.
// The client remains the caller's to close, and may serve other purposes. NewStore does not
// connect: a server that is down is not an error here. Its errors are [ErrInvalidArgument].
func NewStore(client goredis.UniversalClient, options ...Option) (*Store, error) {
	if client == nil {
		return nil, invalid("NewStore", "client must not be nil")
	}
	s := &Store{client: client, settings: defaults()}
	for i, option := range options {
		if option == nil {
			return nil, invalid("NewStore", "option %d must not be nil", i+1)
		}
		if err := option(&s.settings); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Get implements [token.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	return within(ctx, "Get", s.timeout, func(ctx context.Context) ([]byte, error) {
		value, err := s.client.Get(ctx, s.prefix+key).Bytes()
		if errors.Is(err, goredis.Nil) {
			return nil, nil
		}
		return value, err
	})
}

// Put implements [token.Store]. A life of less than 1 ms is [ErrInvalidArgument].
func (s *Store) Put(ctx context.Context, key string, value []byte, life time.Duration) error {
	if life < time.Millisecond { // go-redis takes some such values for "no expiry"
		return invalid("Put", "life must be at least 1 ms")
	}
	_, err := within(ctx, "Put", s.timeout, func(ctx context.Context) (string, error) {
		return s.client.Do(ctx, "SET", s.prefix+key, value, "PX", life.Milliseconds()).Text()
	})
	return err
}

// Lease implements [token.Store]. A life of less than 1 ms is [ErrInvalidArgument].
func (s *Store) Lease(ctx context.Context, key, owner string, life time.Duration) (bool, error) {
	if life < time.Millisecond {
		return false, invalid("Lease", "life must be at least 1 ms")
	}
	return within(ctx, "Lease", s.timeout, func(ctx context.Context) (bool, error) {
		return leaseScript.Run(ctx, s.client, []string{s.prefix + key}, owner, life.Milliseconds()).Bool()
	})
}

// Release implements [token.Store].
func (s *Store) Release(ctx context.Context, key, owner string) error {
	_, err := within(ctx, "Release", s.timeout, func(ctx context.Context) (int, error) {
		return releaseScript.Run(ctx, s.client, []string{s.prefix + key}, owner).Int()
	})
	return err
}

var (
	// go-redis repeats a command whose response was lost. The GET makes that harmless.
	leaseScript = goredis.NewScript(`
		if redis.call("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) or redis.call("GET", KEYS[1]) == ARGV[1] then
			return 1
		end
		return 0`)

	// The lease may have ended in the meantime, and another owner may hold it.
	releaseScript = goredis.NewScript(`
		if redis.call("GET", KEYS[1]) == ARGV[1] then
			return redis.call("DEL", KEYS[1])
		end
		return 0`)
)

// within returns after limit, or when ctx ends, whatever the client does: by default go-redis obeys
// only its own timeouts while it waits for a response (3 s; see ContextTimeoutEnabled) or dials (5
// s). The operation may continue in the background until then.
func within[T any](ctx context.Context, name string, limit time.Duration, operation func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return *new(T), fmt.Errorf("redis: %s: %w", name, err)
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
		if r.err != nil {
			return *new(T), fmt.Errorf("redis: %s: %w", name, r.err)
		}
		return r.value, nil
	case <-ctx.Done():
		return *new(T), fmt.Errorf("redis: %s: no response within %v: %w", name, limit, ctx.Err())
	}
}
