//go:build unix

package postgres_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	clientPrefix = "m2m-client-test-"
	shelfPath    = "/shelf/"
)

func scaleClient(i int) string { return fmt.Sprintf("%s%06d", clientPrefix, i) }

// numberOf finds the client that a path names.
func numberOf(path string) (int, bool) {
	_, rest, found := strings.Cut(path, clientPrefix)
	digits, _, _ := strings.Cut(rest, "/")
	n, err := strconv.Atoi(digits)
	return n, found && err == nil
}

// front is all that the workers of TestScale talk to besides the database: a local Stytch, of which
// it counts the requests, and the shelves where secrets are delivered.
type front struct {
	*emulator.Emulator

	mu          sync.Mutex
	clients     []served
	calls       map[string]int // by operation
	completed   int
	latest      time.Time             // of the last completion
	milestones  map[int]chan struct{} // by the number of completions
	holds       map[string]*hold      // by worker
	overwritten int                   // deliveries that changed what a rotation had ended with
}

// served is what is known of one client.
type served struct {
	first                      secret.String
	starts, cancels, completes int // that succeeded
	shelf                      rotate.Delivery
	over                       bool // the secret was delivered without a previous one
}

func newFront(t *testing.T, clients int) *front {
	t.Helper()
	f := &front{
		clients: make([]served, clients), calls: map[string]int{}, milestones: map[int]chan struct{}{}, holds: map[string]*hold{},
	}
	var err error
	f.Emulator, err = emulator.New(emulator.WithM2MClients(clients, func(i int) emulator.M2MClientSeed {
		id, s := scaleClient(i), secret.Generate()
		f.clients[i] = served{first: s, shelf: rotate.Delivery{ClientID: id, Secret: s}}
		return emulator.M2MClientSeed{ClientID: id, Secret: s.Reveal(), Scopes: []string{"read"}}
	}))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// reached is closed when so many rotations were completed.
func (f *front) reached(n int) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	reached := make(chan struct{})
	f.milestones[n] = reached
	if f.completed >= n {
		close(reached)
	}
	return reached
}

func (f *front) lastCompletion() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.latest
}

// requests is how many there were, by operation and in all.
func (f *front) requests() (byOperation map[string]int, all int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.calls {
		all += n
	}
	return maps.Clone(f.calls), all
}

// ServeHTTP serves both, and holds the requests of a worker back while it is asked to.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	worker, _, _ := strings.Cut(r.UserAgent(), " ")
	f.mu.Lock()
	held := f.holds[worker]
	f.mu.Unlock()
	if held != nil {
		held.wait()
	}
	if strings.HasPrefix(r.URL.Path, shelfPath) {
		f.serveShelf(w, r)
		return
	}
	f.Emulator.ServeHTTP(&noted{ResponseWriter: w, front: f, request: r}, r)
}

// noted records a response before the caller gets it.
type noted struct {
	http.ResponseWriter
	front   *front
	request *http.Request
}

func (n *noted) WriteHeader(status int) {
	n.front.note(n.request, status == http.StatusOK)
	n.ResponseWriter.WriteHeader(status)
}

func (f *front) note(r *http.Request, ok bool) {
	number, known := numberOf(r.URL.Path)
	f.mu.Lock()
	defer f.mu.Unlock()
	operation := operationOf(r)
	f.calls[operation]++
	if !ok || !known {
		return
	}
	switch c := &f.clients[number]; operation {
	case "start":
		c.starts++
	case "cancel":
		c.cancels++
	case "complete":
		c.completes++
		f.completed, f.latest = f.completed+1, time.Now()
		if reached := f.milestones[f.completed]; reached != nil {
			close(reached)
		}
	}
}

func operationOf(r *http.Request) string {
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/secrets/rotate/start"):
		return "start"
	case strings.HasSuffix(path, "/secrets/rotate/cancel"):
		return "cancel"
	case strings.HasSuffix(path, "/secrets/rotate"):
		return "complete"
	case strings.HasSuffix(path, "/oauth2/token"):
		return "token"
	case r.Method == http.MethodGet:
		return "get"
	}
	return "other"
}

// parcel is a delivery on its way.
type parcel struct{ Rotation, Secret, Previous string }

func (f *front) serveShelf(w http.ResponseWriter, r *http.Request) {
	number, known := numberOf(r.URL.Path)
	if !known || number >= len(f.clients) {
		http.NotFound(w, r)
		return
	}
	c := &f.clients[number]
	if r.Method == http.MethodGet {
		f.mu.Lock()
		d := c.shelf
		f.mu.Unlock()
		_ = json.NewEncoder(w).Encode(parcel{d.RotationID, d.Secret.Reveal(), d.Previous.Reveal()})
		return
	}
	var p parcel
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil || p.Secret == "" {
		http.Error(w, "not a parcel", http.StatusBadRequest)
		return
	}
	d := rotate.Delivery{RotationID: p.Rotation, ClientID: scaleClient(number), Secret: secret.New(p.Secret), Previous: secret.New(p.Previous)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.over && !(d.Secret.Equal(c.shelf.Secret) && d.Previous.IsZero()) {
		f.overwritten++
	}
	c.shelf, c.over = d, c.over || d.Previous.IsZero()
	w.WriteHeader(http.StatusNoContent)
}

// hold keeps the requests of a worker waiting.
type hold struct {
	mu       sync.Mutex
	missing  int
	complete chan struct{} // as many are waiting as there can be
	open     chan struct{}
}

func (h *hold) wait() {
	h.mu.Lock()
	if h.missing--; h.missing == 0 {
		close(h.complete)
	}
	h.mu.Unlock()
	<-h.open
}

// hold holds back what a worker asks from now on. complete is closed when n requests are waiting;
// release lets them go.
func (f *front) hold(worker string, n int) (complete <-chan struct{}, release func()) {
	h := &hold{missing: n, complete: make(chan struct{}), open: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holds[worker] = h
	return h.complete, sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.holds, worker)
		close(h.open)
	})
}
