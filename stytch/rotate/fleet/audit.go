package fleet

import (
	"fmt"
	"io"
)

// auditWriter calls failed when w cannot be written.
type auditWriter struct {
	w      io.Writer
	failed func(error)
}

func (a auditWriter) Write(line []byte) (int, error) {
	n, err := a.w.Write(line)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	if err != nil {
		a.failed(fmt.Errorf("fleet: write the audit log: %w", err))
	}
	return n, err
}
