package redis_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stytchkit/m2m/contrib/redis"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

const (
	processes  = 16
	goroutines = 64 // of each
	childMark  = "M2M_REDIS_FLEET_CHILD"
)

// TestMain is the entrance of the processes of a fleet, too: they are this program again.
func TestMain(m *testing.M) {
	goredis.SetLogger(silent{}) // it would print every refused connection of a server that is killed on purpose
	if os.Getenv(childMark) == "1" {
		if err := runChild(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// assignment is what a process reads from its standard input, where no other process sees the
// secrets.
type assignment struct {
	Redis, BaseURL, Project string
	Clients                 []client
	MinLife                 time.Duration // the tokens live for an hour; this makes their time shorter
	RefreshAt               float64
}

type client struct {
	ID, Secret string
	Scopes     []string
}

// order is one round: every goroutine asks for the token of every client, over and over for the
// time given or once.
type order struct {
	For  time.Duration
	Cold bool // and new sources with nothing in memory are made all the time
}

// report is what a process saw in a round.
type report struct {
	Calls, Failed int
	Error         string              // one of them
	Tokens        map[string][]string // SHA-256 of the different tokens of each client
	Store         uint64              // tokens taken from Redis
	StoreFailed   int                 // events
	StoreError    string              // one of them
	Unreadable    int                 // events
}

type child struct {
	assignment
	sources []*token.Source
	cold    []*token.Source
	redis   *goredis.Client

	mu     sync.Mutex
	report report
}

func runChild(in io.Reader, out io.Writer) error {
	c, commands, reports := &child{}, json.NewDecoder(in), json.NewEncoder(out)
	if err := commands.Decode(&c.assignment); err != nil {
		return err
	}
	c.redis = goredis.NewClient(&goredis.Options{Addr: c.Redis})
	defer func() { _ = c.redis.Close() }()
	var err error
	if c.sources, err = c.newSources(); err != nil {
		return err
	}
	for {
		var o order
		if err := commands.Decode(&o); errors.Is(err, io.EOF) {
			for _, s := range append(c.sources, c.cold...) {
				_ = s.Close()
			}
			return nil
		} else if err != nil {
			return err
		}
		if err := reports.Encode(c.round(o)); err != nil {
			return err
		}
	}
}

func (c *child) newSources() (sources []*token.Source, err error) {
	store, err := redis.NewStore(c.redis, patient)
	if err != nil {
		return nil, err
	}
	for _, client := range c.Clients {
		source, err := token.New(c.Project, token.Static(client.ID, secret.New(client.Secret)), token.WithBaseURL(c.BaseURL),
			token.WithScopes(client.Scopes...), token.WithStore(store), token.WithMinLife(c.MinLife),
			token.WithRefreshAt(c.RefreshAt), token.WithObserver(c.observe))
		if err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	return sources, nil
}

func (c *child) observe(_ context.Context, e token.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(e.Err, token.ErrStoreValue) {
		c.report.Unreadable++
	}
	if errors.Is(e.Err, token.ErrStore) {
		c.report.StoreFailed++
		c.report.StoreError = e.Err.Error()
	}
}

func (c *child) round(o order) report {
	c.mu.Lock()
	c.report = report{Tokens: map[string][]string{}}
	c.mu.Unlock()
	end := time.Now().Add(o.For)
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for {
				c.ask(c.sources)
				if !time.Now().Before(end) {
					return
				}
				<-time.After(10 * time.Millisecond)
			}
		})
	}
	for o.Cold && time.Now().Before(end) {
		sources, err := c.newSources()
		if err != nil {
			c.failed(err)
			break
		}
		c.ask(sources)
		c.cold = append(c.cold, sources...) // closed later: a request that Close cancels may be billed
		<-time.After(100 * time.Millisecond)
	}
	group.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range append(c.sources, c.cold...) {
		c.report.Store += s.Stats().FromStore
	}
	return c.report
}

func (c *child) ask(sources []*token.Source) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for i, source := range sources {
		got, err := source.Token(ctx)
		if err != nil {
			c.failed(err)
			continue
		}
		sum := sha256.Sum256([]byte(got.Value.Reveal()))
		c.saw(c.Clients[i].ID, hex.EncodeToString(sum[:]))
	}
}

func (c *child) saw(clientID, sum string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Calls++
	if !slices.Contains(c.report.Tokens[clientID], sum) {
		c.report.Tokens[clientID] = append(c.report.Tokens[clientID], sum)
	}
}

func (c *child) failed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Calls++
	c.report.Failed++
	c.report.Error = err.Error()
}

// fleet is the test's side: 16 processes, one Redis, one Stytch.
type fleet struct {
	server   *server
	stytch   *emulator.Server
	clients  []client
	orders   []*json.Encoder
	reports  []*json.Decoder
	assigned assignment
}

func startFleet(t *testing.T, clients int, useful, refresh time.Duration) *fleet {
	t.Helper()
	f := &fleet{server: startServer(t)}
	var opts []emulator.Option
	for i := range clients {
		c := client{fmt.Sprintf("canary-client-%d", i), secret.Generate().Reveal(), []string{"read:canary-scope", "write:canary-scope"}}
		f.clients = append(f.clients, c)
		opts = append(opts, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: c.ID, Secret: c.Secret, Scopes: c.Scopes}))
	}
	f.stytch = emulatortest.NewServer(t, opts...)
	f.assigned = assignment{
		Redis: f.server.addr, BaseURL: f.stytch.URL, Project: f.stytch.ProjectID, Clients: f.clients,
		MinLife: time.Hour - useful, RefreshAt: refresh.Seconds() / time.Hour.Seconds(),
	}
	for range processes {
		f.join(t)
	}
	return f
}

func (f *fleet) join(t *testing.T) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childMark+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // which ends the process
		if err := cmd.Wait(); err != nil {
			t.Errorf("a process of the fleet: %v", err)
		}
	})
	orders := json.NewEncoder(in)
	if err := orders.Encode(f.assigned); err != nil {
		t.Fatal(err)
	}
	f.orders = append(f.orders, orders)
	f.reports = append(f.reports, json.NewDecoder(bufio.NewReader(out)))
}

// round gives every process the order, calls during while they are at it, and sums their reports
// up.
func (f *fleet) round(t *testing.T, o order, during func()) report {
	t.Helper()
	for _, to := range f.orders {
		if err := to.Encode(o); err != nil {
			t.Fatal(err)
		}
	}
	if during != nil {
		during()
	}
	sum := report{Tokens: map[string][]string{}}
	for _, from := range f.reports {
		var r report
		if err := from.Decode(&r); err != nil {
			t.Fatal(err)
		}
		sum.Calls += r.Calls
		sum.Failed += r.Failed
		sum.Store += r.Store
		sum.StoreFailed += r.StoreFailed
		sum.Unreadable += r.Unreadable
		if r.StoreError != "" {
			sum.StoreError = r.StoreError
		}
		if r.Error != "" {
			sum.Error = r.Error
		}
		for id, tokens := range r.Tokens {
			sum.Tokens[id] = append(sum.Tokens[id], tokens...)
		}
	}
	for id, tokens := range sum.Tokens {
		slices.Sort(tokens)
		sum.Tokens[id] = slices.Compact(tokens)
	}
	if sum.Failed > 0 {
		t.Errorf("%d of %d calls failed, one of them with: %s", sum.Failed, sum.Calls, sum.Error)
	}
	t.Logf("%d calls, %d failed; %d tokens minted by all rounds; %d taken from Redis; %d failures of Redis %s", sum.Calls, sum.Failed,
		f.stytch.TokensMinted(""), sum.Store, sum.StoreFailed, sum.StoreError)
	return sum
}

func TestFleetMintsOnce(t *testing.T) {
	const keys = 4
	f := startFleet(t, keys, 55*time.Minute, 48*time.Minute)
	overheard := f.server.listen(t)
	sum := f.round(t, order{}, nil)
	if want := processes * goroutines * keys; sum.Calls != want {
		t.Errorf("%d calls, want %d", sum.Calls, want)
	}
	for _, c := range f.clients {
		if n := f.stytch.TokensMinted(c.ID); n != 1 || len(sum.Tokens[c.ID]) != 1 {
			t.Errorf("%s: %d tokens minted and %d seen, want 1", c.ID, n, len(sum.Tokens[c.ID]))
		}
	}
	content, stored := f.server.everything(t)
	if stored != keys {
		t.Errorf("%d keys in Redis, want %d: the tokens, and no lease", stored, keys)
	}
	f.findNothing(t, append(content, overheard()...))
}

// TestFleetLifetimes has tokens that are refreshed after about 2 s and must not be handed out after
// 4 s.
func TestFleetLifetimes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 10 s")
	}
	const refresh = 2 * time.Second
	f := startFleet(t, 1, 4*time.Second, refresh)
	start := time.Now()
	sum := f.round(t, order{For: 9 * time.Second, Cold: true}, nil)
	minted, seen := f.stytch.TokensMinted(""), len(sum.Tokens[f.clients[0].ID])
	lifetimes := int(time.Since(start)/(refresh*9/10)) + 1 // jitter makes them up to a tenth shorter
	if minted < 2 || minted > lifetimes {
		t.Errorf("%d tokens minted in %d lifetimes, want at most one in each", minted, lifetimes)
	}
	if seen > minted || seen < minted-1 { // the last one may have come too late to be seen
		t.Errorf("%d different tokens seen of %d", seen, minted)
	}
}

// TestFleetOutage kills Redis under the fleet and starts it again, empty.
func TestFleetOutage(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 10 s")
	}
	f := startFleet(t, 1, 3*time.Second, 2*time.Second)
	sum := f.round(t, order{For: 9 * time.Second, Cold: true}, func() {
		<-time.After(2 * time.Second)
		f.server.kill()
		<-time.After(2 * time.Second)
		f.server.start(t)
	})
	if sum.StoreFailed == 0 || sum.Store == 0 {
		t.Errorf("%d failures of Redis noticed, %d tokens taken from it: nothing was tested", sum.StoreFailed, sum.Store)
	}
	content, stored := f.server.everything(t)
	if stored == 0 {
		t.Error("Redis was not used again after it came back")
	}
	f.findNothing(t, content)
}

// findNothing looks in what Redis saw for everything that it must not learn.
func (f *fleet) findNothing(t *testing.T, content []byte) {
	t.Helper()
	canaries := map[string]string{"project": f.stytch.ProjectID, "scope": "canary-scope", "token": "eyJ", "client": "canary-client"}
	for _, c := range f.clients {
		canaries["secret of "+c.ID] = c.Secret
	}
	for name, canary := range canaries {
		for form, text := range map[string]string{
			"plain": canary, "base64": base64.RawStdEncoding.EncodeToString([]byte(canary)), "hexadecimal": hex.EncodeToString([]byte(canary)),
		} {
			if bytes.Contains(content, []byte(text)) {
				t.Errorf("Redis was shown the %s (%s)", name, form)
			}
		}
	}
	if len(content) == 0 || !bytes.Contains(content, []byte(defaultPrefix)) {
		t.Error("Redis was shown nothing: nothing was tested")
	}
}
