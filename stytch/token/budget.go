package token

import (
	"context"
	"slices"
	"sync"
	"time"
)

const maxBudget = 1_000_000 // tokens per hour; each takes a few bytes to remember

// budget limits the tokens of the last hour. A nil budget allows all.
type budget struct {
	perHour int
	alarm   func(ctx context.Context, used, perHour int)

	mu              sync.Mutex
	spent           []time.Time // in the last hour, oldest first
	warned, alarmed bool        // the alarm was called at four fifths, and at the limit
}

// newBudget returns nil without a limit. alarm may be nil.
func newBudget(perHour int, alarm func(used, perHour int), c *callbacks) *budget {
	if perHour == 0 {
		return nil
	}
	b := &budget{perHour: perHour, alarm: func(context.Context, int, int) {}}
	if alarm != nil {
		b.alarm = func(ctx context.Context, used, perHour int) {
			_, _ = call(ctx, c, nil, "WithBudget", func(context.Context) (struct{}, error) { // it reports a panic
				alarm(used, perHour)
				return struct{}{}, nil
			})
		}
	}
	return b
}

// take pays for a token before it is requested. Its error is ErrBudget.
func (b *budget) take(ctx context.Context) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	now := time.Now()
	b.forget(now)
	ok := len(b.spent) < b.perHour
	if ok {
		b.spent = append(b.spent, now)
	}
	used, until := len(b.spent), now
	if !ok {
		until = b.spent[0].Add(time.Hour)
	}
	warn := used*5 >= b.perHour*4
	alarm := warn && !b.warned || !ok && !b.alarmed
	b.warned, b.alarmed = warn, !ok || b.alarmed && warn
	b.mu.Unlock()
	if alarm {
		b.alarm(ctx, used, b.perHour)
	}
	if !ok {
		return &BudgetError{PerHour: b.perHour, Until: until}
	}
	return nil
}

// forget drops what was spent an hour ago or longer.
func (b *budget) forget(now time.Time) {
	keep := slices.IndexFunc(b.spent, func(t time.Time) bool { return now.Sub(t) < time.Hour })
	if keep < 0 {
		keep = len(b.spent)
	}
	b.spent = slices.Delete(b.spent, 0, keep)
}

// refund is for a request that certainly got no token.
func (b *budget) refund() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.spent); n > 0 {
		b.spent = b.spent[:n-1]
	}
}
