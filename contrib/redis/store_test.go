package redis_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"github.com/stytchkit/m2m/contrib/redis"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/token/storetest"
)

func connect(t testing.TB, addr string) *goredis.Client {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: addr})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func newStore(t testing.TB, addr string, opts ...redis.Option) *redis.Store {
	t.Helper()
	store, err := redis.NewStore(connect(t, addr), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// defaultPrefix begins the keys unless WithPrefix says otherwise; operators and access lists rely
// on it.
const defaultPrefix = "stytch-m2m:"

// patient is for tests on a busy machine.
var patient = redis.WithTimeout(10 * time.Second)

func TestStore(t *testing.T) {
	server := miniredis.RunT(t)
	storetest.Run(t, newStore(t, server.Addr(), patient), server.FastForward)
}

func TestNewStoreRefuses(t *testing.T) {
	client := connect(t, "127.0.0.1:1")
	for name, try := range map[string]func() (*redis.Store, error){
		"nil client":       func() (*redis.Store, error) { return redis.NewStore(nil) },
		"nil option":       func() (*redis.Store, error) { return redis.NewStore(client, nil) },
		"no timeout":       func() (*redis.Store, error) { return redis.NewStore(client, redis.WithTimeout(0)) },
		"negative timeout": func() (*redis.Store, error) { return redis.NewStore(client, redis.WithTimeout(-1)) },
	} {
		if store, err := try(); !errors.Is(err, redis.ErrInvalidArgument) || !errors.Is(err, token.ErrInvalidArgument) || store != nil {
			t.Errorf("%s: error %v, want ErrInvalidArgument", name, err)
		}
	}
	if _, err := redis.NewStore(client); err != nil {
		t.Errorf("a server that is down: %v, want no error before the first use", err)
	}
}

func TestPrefix(t *testing.T) {
	server := miniredis.RunT(t)
	for _, prefix := range []string{defaultPrefix, "", "payments:{tokens}:"} {
		server.FlushAll()
		opts := []redis.Option{patient}
		if prefix != defaultPrefix {
			opts = append(opts, redis.WithPrefix(prefix))
		}
		store := newStore(t, server.Addr(), opts...)
		if err := store.Put(t.Context(), "key", []byte("value"), time.Minute); err != nil {
			t.Fatal(err)
		}
		if won, err := store.Lease(t.Context(), "key:lease", "owner", time.Minute); !won || err != nil {
			t.Fatal(won, err)
		}
		if got, want := strings.Join(server.Keys(), " "), prefix+"key "+prefix+"key:lease"; got != want {
			t.Errorf("keys %q, want %q", got, want)
		}
		for _, key := range server.Keys() {
			if life := server.TTL(key); life != time.Minute {
				t.Errorf("%s lives for %v, want 1m", key, life)
			}
		}
	}
}

// TestRestart forgets the scripts, as a restart or a failover does.
func TestRestart(t *testing.T) {
	server := miniredis.RunT(t)
	store := newStore(t, server.Addr(), patient)
	for range 2 {
		if won, err := store.Lease(t.Context(), "key", "owner", time.Minute); !won || err != nil {
			t.Fatalf("lease given: %t, error %v", won, err)
		}
		if err := store.Release(t.Context(), "key", "owner"); err != nil {
			t.Fatal(err)
		}
		server.Restart()
		if err := connect(t, server.Addr()).ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFailures wants an error and no value from each operation, whatever the server does.
func TestFailures(t *testing.T) {
	refusing := miniredis.RunT(t)
	refusing.SetError("LOADING Redis is loading the dataset in memory")
	guarded := miniredis.RunT(t)
	guarded.RequireAuth("password")
	wrongType := miniredis.RunT(t)
	for _, key := range []string{"key", "key:lease"} {
		if _, err := wrongType.Push(defaultPrefix+key, "a list"); err != nil {
			t.Fatal(err)
		}
	}
	for name, addr := range map[string]string{
		"down": "127.0.0.1:1", "refusing": refusing.Addr(), "guarded": guarded.Addr(), "silent": silence(t),
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t, addr, redis.WithTimeout(50*time.Millisecond))
			for op, err := range operations(t.Context(), store) {
				if err == nil {
					t.Errorf("%s: no error", op)
				}
				if name == "silent" && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: error %v, want a deadline", op, err)
				}
			}
		})
	}
	if _, err := newStore(t, wrongType.Addr(), patient).Get(t.Context(), "key"); err == nil {
		t.Error("Get of a list: no error")
	}
}

// What stays until a setting is changed is no outage.
func TestRefusals(t *testing.T) {
	permanent := map[string]bool{
		"NOAUTH Authentication required.":                                               true,
		"WRONGPASS invalid username-password pair or user is disabled.":                 true,
		"NOPERM User x has no permissions to run the 'get' command":                     true,
		"ERR unknown command 'EVALSHA'":                                                 true,
		"ERR AUTH <password> called without any password configured":                    true,
		"WRONGTYPE Operation against a key holding the wrong kind of value":             true,
		"LOADING Redis is loading the dataset in memory":                                false,
		"READONLY You can't write against a read only replica.":                         false,
		"CLUSTERDOWN The cluster is down":                                               false,
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to no": false,
		"OOM command not allowed when used memory > 'maxmemory'.":                       false,
	}
	for text, want := range permanent {
		server := miniredis.RunT(t)
		server.SetError(text)
		store := newStore(t, server.Addr(), patient)
		if _, err := store.Get(t.Context(), "key"); errors.Is(err, token.ErrStoreRefused) != want || err == nil {
			t.Errorf("%s: %v, want refused: %t", text, err, want)
		}
	}
	guarded := miniredis.RunT(t)
	guarded.RequireAuth("password")
	for op, err := range operations(t.Context(), newStore(t, guarded.Addr(), patient)) {
		if !errors.Is(err, token.ErrStoreRefused) {
			t.Errorf("%s without a password: %v", op, err)
		}
	}
}

// panicking is a client that panics, or ends its goroutine.
type panicking struct{ goredis.UniversalClient }

func (panicking) Get(context.Context, string) *goredis.StringCmd { panic("no route") }
func (panicking) Do(context.Context, ...any) *goredis.Cmd        { runtime.Goexit(); return nil }

// Neither a client that panics nor a store that NewStore did not make ends the process.
func TestBrokenClient(t *testing.T) {
	broken, err := redis.NewStore(panicking{}, patient)
	if err != nil {
		t.Fatal(err)
	}
	for op, err := range operations(t.Context(), broken) { // the embedded client is nil
		if err == nil || !strings.Contains(err.Error(), "panicked") && op != "Put" {
			t.Errorf("%s: %v", op, err)
		}
	}
	var stack atomic.Bool
	source, err := token.New("project-test-1", token.Static("m2m-client-test-1", secret.New(strings.Repeat("0123456789abcdef", 3))),
		token.WithBaseURL("http://127.0.0.1:1"), token.WithStore(broken), token.WithObserver(func(_ context.Context, e token.Event) {
			stack.Store(stack.Load() || e.Kind == token.Panicked && strings.Contains(e.Stack, "panicking"))
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if _, err := source.Token(t.Context()); err == nil {
		t.Error("a token came from nowhere")
	}
	if source.Stats().Panics == 0 || !stack.Load() {
		t.Errorf("%d panics counted, stack seen: %t", source.Stats().Panics, stack.Load())
	}
	for _, store := range []*redis.Store{nil, {}} {
		for op, err := range operations(t.Context(), store) {
			if !errors.Is(err, redis.ErrInvalidArgument) {
				t.Errorf("%s of a zero store: %v", op, err)
			}
		}
	}
	var none *goredis.Client
	if _, err := redis.NewStore(none); !errors.Is(err, redis.ErrInvalidArgument) {
		t.Errorf("a nil client: %v", err)
	}
}

func TestContextEnds(t *testing.T) {
	store := newStore(t, silence(t), redis.WithTimeout(time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	for op, err := range operations(ctx, store) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want that of the context", op, err)
		}
	}
}

func operations(ctx context.Context, store *redis.Store) map[string]error {
	errs := map[string]error{}
	_, errs["Get"] = store.Get(ctx, "key")
	errs["Put"] = store.Put(ctx, "key", []byte("value"), time.Minute)
	_, errs["Lease"] = store.Lease(ctx, "key:lease", "owner", time.Minute)
	errs["Release"] = store.Release(ctx, "key:lease", "owner")
	return errs
}

// silence is the address of a server that accepts connections and never says a word.
func silence(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	return listener.Addr().String()
}
