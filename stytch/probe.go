package stytch

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
)

// probe follows one attempt through the transport: whether the request can have left, and which dials were begun for it. It
// is the attempt's context, so that the transport hands it to the dial.
type probe struct {
	context.Context
	gate    *dialGate   // nil with a transport of the caller's
	waiters []*waiter   // guarded by gate.mu
	ended   bool        // guarded by gate.mu
	asked   atomic.Bool // for a connection
	got     atomic.Bool // a connection
}

type probeKey struct{}

func (p *probe) Value(key any) any {
	if key == (probeKey{}) {
		return p
	}
	return p.Context.Value(key)
}

// begin starts an attempt. end must be called when its body has been read.
func (p *probe) begin() {
	if p.gate != nil {
		p.gate.enter()
	}
}

func (p *probe) end() {
	if p.gate != nil {
		p.gate.leave(p)
	}
}

// traced is the context of a request of which it matters whether it was sent.
func (p *probe) traced() context.Context {
	return httptrace.WithClientTrace(p, &httptrace.ClientTrace{
		GetConn: func(string) { p.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { p.got.Store(true) },
	})
}

// notSent reports that the server cannot have seen the request, because it never had a connection. Silence of a transport
// that knows nothing of httptrace counts as "may have been sent".
func (p *probe) notSent() bool { return p.asked.Load() && !p.got.Load() }
