package emulator

import (
	"context"
	"net"
	"net/http"
	"time"
)

// wait lets the latency of a fault pass. It reports false if the client left meanwhile.
func (c *call) wait(ctx context.Context, f Fault) bool {
	if f.kind == faultSlow || pause(ctx, f.delay) {
		return true
	}
	c.hangUp()
	return false
}

func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// strike answers as the fault wants it; real is the answer of the operation, if it was done.
func (c *call) strike(ctx context.Context, f Fault, real answer) {
	switch f.kind {
	case faultReset:
		c.hangUp()
	case faultCut:
		c.sendHalf(real)
		panic(http.ErrAbortHandler) // the way to end an answer that was begun
	case faultSlow:
		half := c.sendHalf(real)
		if !pause(ctx, f.delay) {
			panic(http.ErrAbortHandler)
		}
		_, _ = c.w.Write(real.body[half:])
	case faultDelay:
		c.send(real)
	default:
		a := f.answer(c)
		a.retryAfter = f.retryAfter
		c.send(a)
	}
}

func (c *call) sendHalf(a answer) (half int) {
	half = len(a.body) / 2
	c.note(a.status)
	a.writeHeader(c.w)
	_, _ = c.w.Write(a.body[:half])
	_ = http.NewResponseController(c.w).Flush()
	return half
}

// hangUp ends the connection without an answer.
func (c *call) hangUp() {
	c.note(0)
	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2, or no connection at all
	}
	under := conn
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		under = secure.NetConn()
	}
	if tcp, ok := under.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset, not an orderly end
	}
	_ = conn.Close()
}

func (f Fault) answer(c *call) answer {
	switch f.kind {
	case faultHTML:
		page := "<html><head><title>" + http.StatusText(f.status) + "</title></head><body><h1>" +
			http.StatusText(f.status) + "</h1></body></html>\n"
		return answer{status: f.status, contentType: "text/html; charset=utf-8", body: []byte(page)}
	case faultEmpty:
		return answer{status: f.status}
	case faultGarbage:
		return answer{status: f.status, contentType: "application/json", body: []byte(`{"status_code":`)}
	}
	return f.failure(c.operation).answer(c.requestID)
}

// failure is the usual error of Stytch for a status. Refusals of the token endpoint have a shape of their own, but what
// stands in front of it does not know that.
func (f Fault) failure(operation string) *failure {
	if operation == "IssueM2MToken" && (f.status == 400 || f.status == 401) {
		e := grantError("invalid_client", "The client credentials are not valid.")
		e.status = f.status
		return e
	}
	usual := map[int]string{
		400: "bad_request", 401: "unauthorized_credentials", 403: "organization_suspended", 404: "route_not_found",
		405: "method_not_allowed", 429: "too_many_requests", 503: "server_unavailable",
	}
	kind := usual[f.status]
	if kind == "" {
		kind = "internal_server_error"
		if f.status < 500 {
			kind = "bad_request"
		}
	}
	e := fail(kind)
	e.status = f.status
	return e
}
