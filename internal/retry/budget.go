package retry

import "sync/atomic"

// The costs follow AWS's retry quota: a full budget pays for 100 retries in a row, and successful
// calls refill it. In an outage, each call soon costs one request instead of three.
const (
	budgetSize     = 500
	retryCost      = 5
	timeoutCost    = 10
	successCredits = 1
)

// Budget bounds the retries of all calls of a client together. The zero value is full. It is safe
// for concurrent use.
type Budget struct{ spent atomic.Int64 }

// Withdraw pays for one retry. It reports false if the budget is exhausted.
func (b *Budget) Withdraw(afterTimeout bool) bool {
	cost := int64(retryCost)
	if afterTimeout {
		cost = timeoutCost
	}
	for {
		spent := b.spent.Load()
		if spent+cost > budgetSize {
			return false
		}
		if b.spent.CompareAndSwap(spent, spent+cost) {
			return true
		}
	}
}

// Deposit credits a successful call.
func (b *Budget) Deposit() {
	for {
		spent := b.spent.Load()
		if spent == 0 || b.spent.CompareAndSwap(spent, max(0, spent-successCredits)) {
			return
		}
	}
}
