package emulator

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Server is an [Emulator] that listens on a loopback address. It prints without its secret.
type Server struct {
	*Emulator
	URL       string // http://127.0.0.1:port
	ProjectID string
	Secret    string

	hosts  []string // besides the loopback names
	http   *http.Server
	client *http.Client
	ended  chan struct{} // closed when the accept loop has ended
	cancel context.CancelFunc

	mu      sync.Mutex
	closing bool
	busy    sync.WaitGroup
}

// Start runs an emulator on a free port of 127.0.0.1 until [Server.Close]. It fails if an option is
// invalid or no port is free. In a test, package emulatortest starts it and closes it at the end.
func Start(opts ...Option) (*Server, error) {
	set, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	e, err := set.newEmulator()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		cancel()
		return nil, fmt.Errorf("emulator: listen on 127.0.0.1: %w", err)
	}
	s := &Server{
		Emulator: e, URL: "http://" + listener.Addr().String(), hosts: set.hosts,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		ended:  make(chan struct{}), cancel: cancel,
	}
	s.ProjectID, s.Secret = e.Credentials()
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    32 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	go func() {
		defer close(s.ended)
		_ = s.http.Serve(listener) // until Close
	}()
	return s, nil
}

// serve counts the requests being served, so that Close can wait for them.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	s.busy.Add(1)
	s.mu.Unlock()
	defer s.busy.Done()
	if !allowedHost(r.Host, s.hosts) {
		s.refuseHost(w, r)
		return
	}
	s.ServeHTTP(w, r)
}

// Client returns an HTTP client whose connections end with the server. It adds no credentials.
func (s *Server) Client() *http.Client { return s.client }

// Close stops the server, closes its connections and returns once no request is being served. It
// returns the error of closing the listener, if any. It may be called more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.cancel()
	err := s.http.Close()
	s.client.CloseIdleConnections()
	<-s.ended
	s.busy.Wait()
	return err
}

// Format prints the server without its secret, for every verb.
func (s *Server) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "emulator.Server("+s.URL+")") }
