package token

import (
	"slices"
	"sync"
	"time"
)

const maxBudget = 1_000_000 // tokens an hour; each takes a few bytes to remember

// budget counts the tokens of the last hour. A nil budget allows all.
type budget struct {
	perHour int
	alarm   func(used, perHour int)

	mu             sync.Mutex
	spent          []time.Time // in the last hour, oldest first
	warned, barred bool        // the alarm was given
}

func newBudget(perHour int, alarm func(used, perHour int)) *budget {
	if perHour == 0 {
		return nil
	}
	if alarm == nil {
		alarm = func(int, int) {}
	}
	return &budget{perHour: perHour, alarm: alarm}
}

// take pays for a token, before it is asked for.
func (b *budget) take() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	now := time.Now()
	old := slices.IndexFunc(b.spent, func(t time.Time) bool { return now.Sub(t) < time.Hour })
	if old < 0 {
		old = len(b.spent)
	}
	b.spent = slices.Delete(b.spent, 0, old)
	ok := len(b.spent) < b.perHour
	if ok {
		b.spent = append(b.spent, now)
	}
	used := len(b.spent)
	warn := used*5 >= b.perHour*4
	ring := warn && !b.warned || !ok && !b.barred
	b.warned, b.barred = warn, !ok || b.barred && warn
	b.mu.Unlock()
	if ring {
		b.alarm(used, b.perHour)
	}
	return ok
}

// giveBack is for a request that got no token, and surely so.
func (b *budget) giveBack() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.spent); n > 0 {
		b.spent = b.spent[:n-1]
	}
}
