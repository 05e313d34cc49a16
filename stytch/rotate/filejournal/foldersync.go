package filejournal

import (
	"sync"

	"github.com/stytchkit/m2m/internal/atomicfile"
)

// folderSync makes the names in a folder durable. Callers that arrive during a sync share the next
// one.
type folderSync struct {
	dir  string
	turn sync.Mutex // held during a sync
	mu   sync.Mutex
	next *syncRound // has not begun, so it covers the renames of all who join it
}

type syncRound struct {
	done chan struct{}
	err  error
}

func (f *folderSync) sync() error {
	f.mu.Lock()
	if round := f.next; round != nil {
		f.mu.Unlock()
		<-round.done
		return round.err
	}
	round := &syncRound{done: make(chan struct{})}
	f.next = round
	f.mu.Unlock()

	f.turn.Lock()
	defer f.turn.Unlock()
	f.mu.Lock()
	f.next = nil
	f.mu.Unlock()
	defer close(round.done)
	round.err = atomicfile.SyncDir(f.dir)
	return round.err
}
