package torture

import (
	"context"
	"iter"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// memory is a journal and a place without a disk, for tests that are about the network.
type memory struct {
	record rotate.Record
	claims sync.Mutex

	mu   sync.Mutex
	held rotate.Delivery
}

func (m *memory) Claim(context.Context, string, time.Duration) (rotate.Claim, error) {
	if !m.claims.TryLock() {
		return nil, rotate.ErrBusy
	}
	return memoryClaim{m}, nil
}

func (m *memory) Unfinished(context.Context) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

type memoryClaim struct{ m *memory }

func (c memoryClaim) Record() rotate.Record { return c.m.record }

func (c memoryClaim) Write(_ context.Context, r rotate.Record) error {
	c.m.record = r
	return nil
}

func (c memoryClaim) Release(context.Context) error {
	c.m.claims.Unlock()
	return nil
}

func (m *memory) Read(context.Context, string) (rotate.Record, error) {
	if m.record.State == "" {
		return rotate.Record{}, rotate.ErrNoRotation
	}
	return m.record, nil
}

type memoryPlace struct{ *memory }

func (p memoryPlace) Deliver(_ context.Context, d rotate.Delivery) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = d
	return nil
}

func (p memoryPlace) Read(context.Context, string) (rotate.Delivery, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held, nil
}

// stored returns every secret that is stored in the journal or the place.
func (m *memory) stored() []secret.String {
	m.mu.Lock()
	defer m.mu.Unlock()
	return []secret.String{m.record.Current, m.record.Next, m.held.Secret, m.held.Previous}
}

// pipes is a network in memory, whose time is that of a synctest bubble.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.connections:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.connections <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inside serves on a network in memory until the test ends, and returns a client of it.
func (s *server) inside(t *testing.T, options ...stytch.Option) *stytch.Client {
	t.Helper()
	p := &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
	h := &http.Server{Handler: s}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = h.Serve(p)
	}()
	transport := &http.Transport{DialContext: p.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = h.Close()
		<-served
	})
	return newClient(t, s, "http://127.0.0.1", append([]stytch.Option{stytch.WithHTTPClient(&http.Client{Transport: transport})}, options...)...)
}

func newClient(t *testing.T, s *server, address string, options ...stytch.Option) *stytch.Client {
	t.Helper()
	projectID, projectSecret := s.Credentials()
	c, err := stytch.New(projectID, projectSecret, append([]stytch.Option{stytch.WithBaseURL(address)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
