package cli

import (
	"context"
	"io"
)

// stdin is the App's input, which ends with an interrupt.
func (a *App) stdin() io.Reader {
	if a.Interrupted == nil {
		return a.In
	}
	return &interruptible{from: a.In, interrupted: a.Interrupted}
}

// An interruptible is a reader whose Read returns context.Canceled after an interrupt. What is
// being read then is lost, which ends with the process.
type interruptible struct {
	from        io.Reader
	interrupted <-chan struct{}
	rest        []byte // read and not yet returned
}

func (r *interruptible) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		type result struct {
			data []byte
			err  error
		}
		done := make(chan result, 1)
		go func() { // into a buffer of its own: p belongs to the caller
			buffer := make([]byte, max(512, min(len(p), 64<<10)))
			n, err := r.from.Read(buffer)
			done <- result{buffer[:n], err}
		}()
		select {
		case got := <-done:
			if len(got.data) == 0 {
				return 0, got.err
			}
			r.rest = got.data // an error comes again with the next Read
		case <-r.interrupted:
			return 0, context.Canceled
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
