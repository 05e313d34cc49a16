package conns

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// gateTest is a transport whose dials end as the test says.
type gateTest struct {
	*Transport
	*pool
	*gate
	dials chan chan error // a dial that was started, and how it is to end
}

func newGateTest() gateTest {
	g := gateTest{Transport: New(), dials: make(chan chan error, 100)}
	g.pool = g.Transport.pool()
	g.gate = &g.pool.gate
	g.Transport.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		end := make(chan error, 1)
		g.dials <- end
		select {
		case err := <-end:
			if err != nil {
				return nil, err
			}
			conn, _ := net.Pipe()
			return conn, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return g
}

// requestTest is one request that needs a connection, as http.Transport makes it.
type requestTest struct {
	caller *Caller
	cancel context.CancelFunc // of the dial
	conn   chan net.Conn
	err    chan error
}

func (g gateTest) begin(ctx context.Context) *requestTest {
	r := &requestTest{caller: g.Enter(ctx), conn: make(chan net.Conn, 1), err: make(chan error, 1)}
	dialCtx, cancel := context.WithCancel(context.WithoutCancel(r.caller))
	r.cancel = cancel
	go func() {
		conn, err := g.open(dialCtx, "tcp", "host:443")
		if err != nil {
			r.err <- err
			return
		}
		r.conn <- conn
	}()
	synctest.Wait()
	return r
}

// counts is how many connections the gate counts and how many dials it holds back.
func (g gateTest) counts() [2]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return [2]int{g.conns, len(g.waiting)}
}

func (g gateTest) expect(t *testing.T, when string, conns, waiting, dialing int) {
	t.Helper()
	synctest.Wait()
	if got := g.counts(); got != [2]int{conns, waiting} || len(g.dials) != dialing {
		t.Fatalf("%s: %d connections, %d held back, %d dialing; want %d, %d, %d", when, got[0], got[1], len(g.dials), conns, waiting, dialing)
	}
}

func TestGateWaitsForTheFirstConnection(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateTest()
			var requests []*requestTest
			for range 5 {
				requests = append(requests, g.begin(t.Context()))
			}
			g.expect(t, "at the start", 1, 4, 1)
			<-g.dials <- nil
			conn := <-requests[0].conn
			g.expect(t, "before the handshake", 1, 4, 0)
			g.negotiated(protocol)
			if protocol == "h2" {
				g.expect(t, "one connection serves all", 1, 4, 0)
				for _, r := range requests { // each got its response over it
					r.caller.Leave()
				}
				for _, r := range requests[1:] {
					if err := <-r.err; !errors.Is(err, context.Canceled) {
						t.Errorf("%v", err)
					}
				}
				g.expect(t, "at the end", 1, 0, 0)
				conn.Close()
				g.expect(t, "closed", 0, 0, 0)
				return
			}
			g.expect(t, "one for each", 5, 0, 4)
			conn.Close()
			for range 4 {
				<-g.dials <- nil
			}
			for _, r := range requests[1:] {
				(<-r.conn).Close()
				r.caller.Leave()
			}
			requests[0].caller.Leave()
			g.expect(t, "closed", 0, 0, 0)
		})
	}
}

func TestGateAfterAFailedDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateTest()
		first, second := g.begin(t.Context()), g.begin(t.Context())
		g.expect(t, "at the start", 1, 1, 1)
		refused := errors.New("refused")
		<-g.dials <- refused
		if err := <-first.err; !errors.Is(err, refused) {
			t.Errorf("%v", err)
		}
		g.expect(t, "the next one dials", 1, 0, 1)
		<-g.dials <- nil
		(<-second.conn).Close()
		first.caller.Leave()
		second.caller.Leave()
		g.expect(t, "at the end", 0, 0, 0)
	})
}

func TestGateReleasesADialForAClosedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateTest()
		first := g.begin(t.Context())
		<-g.dials <- nil
		conn := <-first.conn
		g.negotiated("http/1.1")
		first.caller.Leave()
		// The connection is broken, but not closed yet, when the next request wants one.
		second := g.begin(t.Context())
		g.expect(t, "held back", 1, 1, 0)
		conn.Close()
		g.expect(t, "dialing", 1, 0, 1)
		conn.Close()
		g.expect(t, "closing twice counts once", 1, 0, 1)
		<-g.dials <- nil
		(<-second.conn).Close()
		second.caller.Leave()
		if g.expect(t, "at the end", 0, 0, 0); g.protocol != "" {
			t.Error("the protocol is remembered, though the next server may speak another one")
		}
	})
}

// No dial waits for long behind one that hangs, or for a connection that is full.
func TestGatePatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateTest()
		first := g.begin(t.Context())
		<-g.dials // and never ends
		start := time.Now()
		second := g.begin(t.Context())
		<-g.dials <- nil
		conn := <-second.conn
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("held back for %v", waited)
		}
		g.expect(t, "both count", 2, 0, 0)

		g.negotiated("h2")
		start = time.Now()
		third := g.begin(t.Context())
		<-g.dials <- nil
		(<-third.conn).Close()
		if waited := time.Since(start); waited != 250*time.Millisecond {
			t.Errorf("held back for %v", waited)
		}
		conn.Close()
		g.expect(t, "one still hangs", 1, 0, 0)
		first.cancel()
		g.expect(t, "dropped", 0, 0, 0)
	})
}

func TestGateDropsUnneededDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateTest()
		first := g.begin(t.Context())
		second, third := g.begin(t.Context()), g.begin(t.Context())
		g.expect(t, "at the start", 1, 2, 1)
		second.caller.Leave() // its context ended, or another connection served it
		if err := <-second.err; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		third.cancel() // the transport canceled the dial
		if err := <-third.err; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		third.caller.Leave()
		g.expect(t, "dropped", 1, 0, 1)
		<-g.dials <- nil
		(<-first.conn).Close()
		first.caller.Leave()
		g.expect(t, "at the end", 0, 0, 0)
		if g.gate.requests != 0 {
			t.Errorf("%d requests are in progress", g.gate.requests)
		}
	})
}

// A dial that starts after its request has ended does not wait.
func TestGateLateDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateTest()
		first := g.begin(t.Context())
		late := g.Enter(t.Context())
		late.Leave()
		if _, err := g.open(late, "tcp", "host:443"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		g.expect(t, "dropped", 1, 0, 1)
		go func() { // a dial without a caller is never held back
			if conn, err := g.open(context.WithoutCancel(t.Context()), "tcp", "host:443"); err == nil {
				conn.Close()
			}
		}()
		g.expect(t, "unknown", 2, 0, 2)
		<-g.dials <- nil
		<-g.dials <- nil
		(<-first.conn).Close()
		first.caller.Leave()
		g.expect(t, "at the end", 0, 0, 0)
	})
}

// In any order of events, no dial is forgotten and the counts return to zero.
func TestGateAtRandom(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			pause := func() time.Duration { return time.Duration(random.IntN(3000)) * time.Millisecond }
			g := newGateTest()
			delays := make([]time.Duration, 400)
			for i := range delays {
				delays[i] = pause()
			}
			protocol := []string{"http/1.1", "h2"}[random.IntN(2)]
			var mu sync.Mutex
			take := func() time.Duration {
				mu.Lock()
				defer mu.Unlock()
				d := delays[0]
				delays = append(slices.Delete(delays, 0, 1), d)
				return d
			}
			g.Transport.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				d := take()
				select {
				case <-time.After(d):
				case <-ctx.Done():
					return nil, ctx.Err()
				}
				if d%7 == 0 {
					return nil, errors.New("refused")
				}
				conn, _ := net.Pipe()
				return conn, nil
			}
			var group sync.WaitGroup
			for range 60 {
				group.Go(func() {
					<-time.After(take())
					caller := g.Enter(t.Context())
					ctx, cancel := context.WithTimeout(context.WithoutCancel(caller), take()+time.Millisecond)
					defer cancel()
					group.Go(func() {
						<-time.After(take())
						caller.Leave()
					})
					conn, err := g.open(ctx, "tcp", "host:443")
					if err != nil {
						return
					}
					g.negotiated(protocol)
					<-time.After(take())
					conn.Close()
				})
			}
			group.Wait()
			if g.conns != 0 || g.gate.requests != 0 || len(g.waiting) != 0 || g.protocol != "" {
				t.Errorf("seed %d: %d connections, %d requests, %d held back, %q", seed, g.conns, g.requests, len(g.waiting), g.protocol)
			}
		})
	}
}
