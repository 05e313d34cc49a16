package rotate

import (
	"sync"

	"github.com/stytchkit/m2m/internal/atomicfile"
)

// folderSync makes the names in a folder durable, for all who ask while it is busy with one call.
type folderSync struct {
	dir  string
	turn sync.Mutex // held during the call
	mu   sync.Mutex
	next *syncRound // whoever joins it has renamed before its call begins
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
