package cli

import (
	"bufio"
)

// output is stdout, buffered unless a person waits for it.
type output struct {
	w    *bufio.Writer
	live bool
}

func newOutput(a *App) *output {
	return &output{w: bufio.NewWriterSize(a.Out, 32<<10), live: a.OutIsTerminal()}
}

func (o *output) write(data []byte) error {
	_, err := o.w.Write(data)
	if err == nil && o.live {
		err = o.w.Flush()
	}
	return PipeError(err)
}

func (o *output) flush() error { return PipeError(o.w.Flush()) }
