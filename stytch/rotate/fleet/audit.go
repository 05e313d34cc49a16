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
	var n int
	err := guarded("WithAudit", func() (err error) {
		if n, err = a.w.Write(line); err == nil && n < len(line) {
			err = io.ErrShortWrite
		}
		return err
	})
	if err != nil {
		a.failed(fmt.Errorf("fleet: write the audit log: %w", err))
	}
	return n, err
}
