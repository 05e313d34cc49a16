package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/stytchkit/m2m/internal/redact"
)

// A Progress shows a person how far a long command is: one line on stderr that is rewritten on a
// terminal, and a line every ten seconds elsewhere. With -q it is silent. It is safe for concurrent
// use.
type Progress struct {
	app  *App
	live bool

	mu      sync.Mutex
	last    time.Time
	written bool
}

// Progress starts one.
func (a *App) Progress() *Progress {
	return &Progress{app: a, live: isTerminal(a.Err), last: a.Now()}
}

// Show replaces what is shown.
func (p *Progress) Show(format string, args ...any) {
	if p.app.Flags.Quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := 10 * time.Second
	if p.live {
		wait = 100 * time.Millisecond
	}
	now := p.app.Now()
	if now.Sub(p.last) < wait {
		return
	}
	p.last, p.written = now, true
	line := redact.Printable(fmt.Sprintf(format, args...), 200)
	if p.live {
		fmt.Fprintf(p.app.Err, "\r\x1b[K%s", line)
		return
	}
	fmt.Fprintln(p.app.Err, line)
}

// Close removes the line from a terminal.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live && p.written {
		fmt.Fprint(p.app.Err, "\r\x1b[K")
	}
}
