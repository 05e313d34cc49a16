package torture

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// tally counts over all trials.
type tally struct {
	mu                            sync.Mutex
	points, runs, kills, breaches int
	busy                          int

	life  time.Duration  // of a process that is not killed
	after map[string]int // the last moments of processes
}

func (t *tally) note(m moment) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.after[m.String()]++
}

func (t *tally) add(runs, kills int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs, t.kills = t.runs+runs, t.kills+kills
}

func (t *tally) report(tb testing.TB, name string, wrongs []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, text := range wrongs {
		t.breaches++
		tb.Errorf("%s: %s", name, text)
	}
}

// each calls do for each job, a few at a time.
func each[J any](jobs []J, do func(J)) {
	queue := make(chan J)
	var group sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for j := range queue {
				do(j)
			}
		})
	}
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	group.Wait()
}
