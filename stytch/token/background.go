package token

import (
	"context"
	"sync"
)

// background runs the goroutines of a source until it is closed.
type background struct {
	ctx     context.Context // ends with close
	cancel  context.CancelFunc
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

func newBackground() *background {
	b := &background{}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// start calls run in a goroutine with the values of ctx, which serve tracing, but not its end:
// run's context ends with close. It reports false after close.
func (b *background) start(ctx context.Context, run func(context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.running.Go(func() {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(b.ctx, cancel)()
		run(ctx)
	})
	return true
}

// ending reports whether close was called.
func (b *background) ending() bool { return b.ctx.Err() != nil }

// close ends what is running, and waits for it.
func (b *background) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.cancel()
	b.running.Wait()
}
