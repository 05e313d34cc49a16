package proxy

import (
	"net/http"
	"time"
)

// maxWriteWait is how long a caller may take to accept one piece of a response. Without a limit, a
// caller that stops reading would hold a connection to the upstream for ever.
const maxWriteWait = time.Minute

// headerDelay is how long the header of a response waits for the first piece of its body, with
// which it is sent at once. A flush of the header alone costs a quarter of the proxy's latency.
const headerDelay = 10 * time.Millisecond

// response notes the status that is sent to a caller, sends each piece of the body as it arrives,
// and gives up on a caller that stops reading.
type response struct {
	http.ResponseWriter
	exchange *exchange
	control  *http.ResponseController
	limited  bool // writes have a deadline
	deadline time.Time
}

func newResponse(w http.ResponseWriter, r *http.Request, x *exchange) *response {
	return &response{
		ResponseWriter: w, exchange: x, control: http.NewResponseController(w),
		limited: r.ProtoMajor == 1, // a deadline would end a stream of HTTP/2 even if nothing is being written
	}
}

// Unwrap gives [http.ResponseController] access to flushing and hijacking.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader notes the first final status.
func (w *response) WriteHeader(status int) {
	if w.exchange.status == 0 && status >= http.StatusOK {
		w.exchange.status = status
	}
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	if w.exchange.status == 0 {
		w.exchange.status = http.StatusOK
	}
	w.extend()
	n, err := w.ResponseWriter.Write(p)
	if err == nil {
		err = w.control.Flush()
	}
	return n, err
}

// extend moves the deadline, once a second at most: setting it costs more than looking at a clock.
func (w *response) extend() {
	if !w.limited {
		return
	}
	if now := time.Now(); w.deadline.Sub(now) < maxWriteWait-time.Second {
		w.deadline = now.Add(maxWriteWait)
		_ = w.control.SetWriteDeadline(w.deadline) // a server of net/http can
	}
}
