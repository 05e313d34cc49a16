package emulator

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// maxBody is the largest request body that is read, in bytes. A larger one gets a 413.
const maxBody = 1 << 20

// An exchange is one request and its response.
type exchange struct {
	w         http.ResponseWriter
	r         *http.Request
	log       *requestLog
	requestID string
	operation string // operationId of the contract; empty for other routes
	behavior  *Behavior
	began     time.Time

	// For the request log.
	reason, errorType, clientID string

	pending pending

	body    []byte
	bodyErr error
	fields  map[string]json.RawMessage // of a JSON body
}

// newExchange reads the whole body first: only then does net/http notice that a client disconnects.
func newExchange(w http.ResponseWriter, r *http.Request, s *state, log *requestLog) *exchange {
	x := &exchange{w: w, r: r, log: log, requestID: "request-id-" + s.env + "-" + newUUID(), behavior: s.switches.current.Load(), began: time.Now()}
	if r.Body != nil {
		x.body, x.bodyErr = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	}
	return x
}

// oauth reports whether the request is for an endpoint of OAuth 2.0, whose responses must not be
// cached (RFC 6749, section 5.1).
func (x *exchange) oauth() bool { return oauthOperations[x.operation] }

// record logs the request. It comes before the response is written, so that a client which has its
// response finds its request in the log.
func (x *exchange) record(status int) {
	if x.log == nil {
		return
	}
	x.log.add(Request{
		Method: x.r.Method, Path: x.r.URL.EscapedPath(), Operation: x.operation, Status: status, RequestID: x.requestID,
		ErrorType: x.errorType, ClientID: x.clientID, Reason: x.reason, Duration: time.Since(x.began),
	})
}

func (x *exchange) send(r response) {
	r.noStore = r.noStore || x.oauth()
	x.record(r.status)
	r.writeTo(x.w)
}

// failure returns the response for an error. An error that is not a failure is one of the storage
// or a bug of the emulator, and is reported the way Stytch reports its own.
func (x *exchange) failure(err error) response {
	var f *failure
	switch {
	case errors.As(err, &f):
	case errors.Is(err, errRefused):
		f = because("internal_server_error", "The storage of the emulator failed before, so its memory and its storage may differ: start it again. Nothing was changed.")
	case errors.Is(err, ErrStorage):
		f = because("internal_server_error", "The storage of the emulator failed, and it is not known whether a change was stored: start it again.")
	default:
		f = fail("internal_server_error")
	}
	x.errorType, x.reason = f.kind, f.reason
	if x.reason == "" {
		x.reason = f.message
	}
	return failureResponse(f, x.requestID)
}

// sendHalf sends the header and half of the body, and returns the length of that half.
func (x *exchange) sendHalf(r response) (half int) {
	r.noStore = x.oauth()
	half = len(r.body) / 2
	x.record(r.status)
	r.writeHeader(x.w)
	_, _ = x.w.Write(r.body[:half])
	_ = http.NewResponseController(x.w).Flush()
	return half
}

// hangUp ends the connection without a response. On a TCP connection, the client sees a reset.
func (x *exchange) hangUp() {
	x.errorType = ""
	x.record(0)
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2, or no connection at all
	}
	under := conn
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		under = secure.NetConn()
	}
	if tcp, ok := under.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it, the client sees an orderly end
	}
	_ = conn.Close()
}
