package proxy

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// exchange is one request of a caller, from its arrival to the last byte of the response. The
// parts of a forwarding find it in the context of the request.
type exchange struct {
	start   time.Time
	method  string
	route   *route
	body    *streamedBody // nil unless the body is forwarded while it is read
	trailer http.Header   // of the caller's request: filled in while the body is read

	status   int    // of the response, 0 until there is one
	class    string // of the failure, "" without one
	cause    error  // of the failure, for the log
	upgraded bool
	finished bool // the response was sent to its end

	mu      sync.Mutex
	timer   *time.Timer // that ends a request without a response; nil if none is running
	timeout time.Duration
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// exchangeOf returns an exchange for any context, so that nothing needs to check.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// wait calls expired unless stopWaiting is called within the timeout after the last extend.
func (x *exchange) wait(timeout time.Duration, expired func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.timeout, x.timer = timeout, time.AfterFunc(timeout, expired)
}

// extend begins the timeout again: the caller is still sending.
func (x *exchange) extend() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.timer != nil {
		x.timer.Reset(x.timeout)
	}
}

func (x *exchange) stopWaiting() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.timer != nil {
		x.timer.Stop()
		x.timer = nil
	}
}
