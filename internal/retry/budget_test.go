package retry

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestBudgetRunsOut(t *testing.T) {
	for _, c := range []struct {
		name         string
		afterTimeout bool
		want         int
	}{
		{"retries", false, 100},
		{"retries after timeouts cost twice as much", true, 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b Budget
			n := 0
			for b.Withdraw(c.afterTimeout) {
				n++
			}
			if n != c.want {
				t.Errorf("a full budget pays for %d, want %d", n, c.want)
			}
			if b.Withdraw(c.afterTimeout) {
				t.Error("an empty budget pays")
			}
		})
	}
}

func TestBudgetIsEarnedBack(t *testing.T) {
	var b Budget
	for b.Withdraw(false) {
	}
	for n := range retryCost - 1 {
		b.Deposit()
		if b.Withdraw(false) {
			t.Fatalf("paid for a retry after %d successes", n+1)
		}
	}
	b.Deposit()
	if !b.Withdraw(false) {
		t.Errorf("%d successes do not pay for a retry", retryCost)
	}
}

func TestBudgetIsNeverMoreThanFull(t *testing.T) {
	var b Budget
	for range 10_000 {
		b.Deposit()
	}
	n := 0
	for b.Withdraw(false) {
		n++
	}
	if n != budgetSize/retryCost {
		t.Errorf("after many successes it pays for %d retries, want %d", n, budgetSize/retryCost)
	}
}

// A cheap retry may still be paid for when an expensive one is not.
func TestBudgetOfOneRetry(t *testing.T) {
	var b Budget
	for range budgetSize/retryCost - 1 {
		b.Withdraw(false)
	}
	if b.Withdraw(true) {
		t.Error("paid 10 of 5")
	}
	if !b.Withdraw(false) {
		t.Error("refused 5 of 5: the refusal before has cost something")
	}
}

func TestBudgetConcurrency(t *testing.T) {
	var b Budget
	var paid, credited atomic.Int64
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for range 2_000 {
				if b.Withdraw(false) {
					paid.Add(1)
				}
			}
		})
	}
	group.Wait()
	if paid.Load() != budgetSize/retryCost {
		t.Errorf("16 callers were paid for %d retries together, want %d", paid.Load(), budgetSize/retryCost)
	}
	for range 16 {
		group.Go(func() {
			for range 100 {
				b.Deposit()
				credited.Add(successCredits)
				b.Withdraw(true)
			}
		})
	}
	group.Wait()
	if spent := b.spent.Load(); spent < 0 || spent > budgetSize {
		t.Errorf("%d spent of %d", spent, budgetSize)
	}
	for range credited.Load() {
		b.Deposit()
	}
	if spent := b.spent.Load(); spent != 0 {
		t.Errorf("%d are lost", spent)
	}
}
