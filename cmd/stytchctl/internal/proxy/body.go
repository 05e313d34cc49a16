package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxBodyWait is how long a caller may take to send a body that is read before it is forwarded.
const maxBodyWait = 30 * time.Second

// errNotKept means that a body cannot be sent again.
var errNotKept = errors.New("proxy: the body was not kept")

// prepareBody makes the body of a request one that can be sent twice, if it is not larger than
// limit. A body whose length is known is read first, so that it can be repeated even if the
// upstream rejects the token before it has read all of it. One of unknown length may be a
// conversation, so it is forwarded while it is read, and kept as long as it fits.
func (x *exchange) prepareBody(w http.ResponseWriter, r *http.Request, limit int) error {
	dropFields(x.trailer)
	switch length := r.ContentLength; {
	case length == 0:
		r.Body = http.NoBody
	case length > 0 && length <= int64(limit):
		return x.readBody(w, r)
	default:
		b := &streamedBody{body: r.Body, limit: limit, progress: x.extend, trailer: x.trailer}
		x.body, r.Body = b, b
		_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/2 always is; without it, the response would wait for the body
		if length < 0 && limit > 0 {
			r.GetBody = b.again
		}
	}
	return nil
}

func (x *exchange) readBody(w http.ResponseWriter, r *http.Request) error {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(maxBodyWait)) // a server of net/http can
	data := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, data); err != nil {
		return &callerError{err}
	}
	_ = control.SetReadDeadline(time.Time{})
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	r.Body, _ = r.GetBody()
	return nil
}

// callerError is a request that its caller did not send to the end.
type callerError struct{ cause error }

func (e *callerError) Error() string {
	return "proxy: the caller did not send the body: " + e.cause.Error()
}
func (e *callerError) Unwrap() error { return e.cause }

// streamedBody is a body that is forwarded while it is read. The transport reads it in a goroutine
// of its own.
type streamedBody struct {
	body     io.ReadCloser
	limit    int
	progress func()
	trailer  http.Header // of the request: its end fills it

	mu       sync.Mutex
	kept     []byte
	overflow bool // it is larger than limit: nothing is kept
	ended    bool
	failed   error // of the caller
}

func (b *streamedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.progress()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.overflow:
	case len(b.kept)+n > b.limit:
		b.kept, b.overflow = nil, true
	default:
		b.kept = append(b.kept, p[:n]...)
	}
	switch {
	case errors.Is(err, io.EOF):
		b.ended = true
		dropFields(b.trailer) // a caller may send more than it announced
	case err != nil && b.failed == nil:
		b.failed = err
	}
	return n, err
}

func (b *streamedBody) Close() error { return b.body.Close() }

// again is the GetBody of a request.
func (b *streamedBody) again() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended || b.overflow {
		return nil, errNotKept
	}
	return io.NopCloser(bytes.NewReader(b.kept)), nil
}

// callerFailed is the error of the caller's side, if that is why the body ended.
func (b *streamedBody) callerFailed() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}
