package redis

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stytchkit/m2m/internal/guard"
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
//
// Operations fail with [token.ErrStoreRefused] if Redis will refuse them until its settings or
// those of client are changed: a wrong password, a missing permission or command.
func NewStore(client goredis.UniversalClient, options ...Option) (*Store, error) {
	if v := reflect.ValueOf(client); client == nil || v.Kind() == reflect.Pointer && v.IsNil() {
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
	return within(ctx, "Get", s, func(ctx context.Context) ([]byte, error) {
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
	_, err := within(ctx, "Put", s, func(ctx context.Context) (string, error) {
		return s.client.Do(ctx, "SET", s.prefix+key, value, "PX", life.Milliseconds()).Text()
	})
	return err
}

// Lease implements [token.Store]. A life of less than 1 ms is [ErrInvalidArgument].
func (s *Store) Lease(ctx context.Context, key, owner string, life time.Duration) (bool, error) {
	if life < time.Millisecond {
		return false, invalid("Lease", "life must be at least 1 ms")
	}
	return within(ctx, "Lease", s, func(ctx context.Context) (bool, error) {
		return leaseScript.Run(ctx, s.client, []string{s.prefix + key}, owner, life.Milliseconds()).Bool()
	})
}

// Release implements [token.Store].
func (s *Store) Release(ctx context.Context, key, owner string) error {
	_, err := within(ctx, "Release", s, func(ctx context.Context) (int, error) {
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
func within[T any](ctx context.Context, name string, s *Store, operation func(context.Context) (T, error)) (T, error) {
	if s == nil || s.client == nil {
		return *new(T), invalid("Store", "it must be made by NewStore")
	}
	limit := s.timeout
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
		r := result{err: errors.New("the client ended its goroutine")} // unless it returns or panics
		defer func() { done <- r }()
		r.err = guard.Call("UniversalClient", func() (err error) {
			r.value, err = operation(ctx)
			return err
		})
	}()
	select {
	case r := <-done:
		if refused(r.err) {
			return *new(T), fmt.Errorf("redis: %s: %w: %w", name, token.ErrStoreRefused, r.err)
		}
		if r.err != nil {
			return *new(T), fmt.Errorf("redis: %s: %w", name, r.err)
		}
		return r.value, nil
	case <-ctx.Done():
		return *new(T), fmt.Errorf("redis: %s: no response within %v: %w", name, limit, ctx.Err())
	}
}

// refused reports an error that stays until settings are changed. An outage, a failover or a server
// that loads its data ends by itself.
func refused(err error) bool {
	return slices.ContainsFunc([]string{
		"NOAUTH", "WRONGPASS", "NOPERM", "WRONGTYPE", "AUTH ", "invalid password", "Client sent AUTH", "unknown command",
		"operation not permitted", "DENIED",
	}, func(prefix string) bool { return goredis.HasErrorPrefix(err, prefix) })
}
