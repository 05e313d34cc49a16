package rotate

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
)

// guardPatience bounds the wait for the guard. It is held for microseconds, so what holds it longer is a process that was
// paused just then.
const guardPatience = 10 * time.Second

var errGuard = errors.New("another process has locked the folder and does not go on")

// guard is a lock on a folder, for all goroutines of all processes. The folder itself is what is locked, so there is no file
// that somebody could remove.
type guard struct {
	dir  string
	turn chan struct{} // within the process, so that flock is seldom contended
}

func newGuard(dir string) *guard { return &guard{dir, make(chan struct{}, 1)} }

// lock waits for the guard. Call unlock soon.
func (g *guard) lock(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, because(ErrJournal, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, guardPatience, errGuard)
	defer cancel()
	select {
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, because(ErrJournal, context.Cause(ctx))
	}
	dir, err := lockFolder(ctx, g.dir)
	if err != nil {
		<-g.turn
		return nil, because(ErrJournal, err)
	}
	return func() {
		_ = dir.Close() // which ends the lock
		<-g.turn
	}, nil
}

func lockFolder(ctx context.Context, path string) (*os.File, error) {
	dir, err := os.Open(path) //nolint:gosec // the journal's folder
	if err != nil {
		return nil, err
	}
	// Asking again and again, because a waiting flock heeds no context.
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 5*time.Millisecond) {
		locked, err := atomicfile.Lock(dir)
		if err == nil && !locked {
			err = (systemClock{}).Sleep(ctx, pause)
			if err != nil {
				err = context.Cause(ctx)
			}
		}
		if err != nil {
			_ = dir.Close()
			return nil, err
		}
		if locked {
			return dir, nil
		}
	}
}
