package retry

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
)

// Trace follows one attempt through the transport, to find out whether the request can have left.
// The zero value is ready to use.
type Trace struct {
	asked atomic.Bool // for a connection
	got   atomic.Bool // a connection
}

// Context returns the context to send the traced request with.
func (t *Trace) Context(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { t.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.got.Store(true) },
	})
}

// NotSent reports that the server cannot have seen the request, because the request never had a
// connection. A transport that does not call httptrace hooks counts as "may have been sent".
func (t *Trace) NotSent() bool { return t.asked.Load() && !t.got.Load() }
