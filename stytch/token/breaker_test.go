package token

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

var errStoreDown = errors.New("connection refused")

// TestSharedStoreFails lets each operation of the store fail, alone and together with all others.
func TestSharedStoreFails(t *testing.T) {
	for _, broken := range []string{"Get", "Lease", "Put", "Release", ""} {
		t.Run("broken "+broken, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, 16)
				f.store.fail = func(method string) error {
					if broken == "" || broken == method {
						return errStoreDown
					}
					return nil
				}
				start := time.Now()
				f.all(t, want()) // which fails the test if any call fails
				if f.mints() < 1 || f.mints() > 16 {
					t.Errorf("%d tokens minted by 16 processes", f.mints())
				}
				if broken == "" || broken == "Get" {
					if took := time.Since(start); took != f.mintTime {
						t.Errorf("a dead store cost %v", took-f.mintTime)
					}
				}
				if f.reports(ErrStore) == 0 || f.reports(errStoreDown) != f.reports(ErrStore) {
					t.Errorf("reported: %v, want ErrStore with its cause", f.reported)
				}
			})
		})
	}
}

func TestSharedStoreHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		f.store.latency = time.Hour
		var took []time.Duration
		for range 5 {
			start := time.Now()
			if _, _, err := f.processes[0].token(t.Context(), want(), f.mint); err != nil {
				t.Fatal(err)
			}
			took = append(took, time.Since(start)-f.mintTime)
		}
		if want := []time.Duration{storeTimeout, 0, 0, 0, 0}; !slices.Equal(took, want) {
			t.Errorf("a store that hangs cost %v, want %v", took, want)
		}
	})
}

// TestBreakerAsksLessAndLess counts the calls that a dead store gets in an hour of one call per
// second.
func TestBreakerAsksLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		f.mintTime = time.Second
		f.store.setFail(func(string) error { return errStoreDown })
		var asked []time.Time
		for before := 0; len(asked) < 100; {
			now := time.Now()
			if _, _, err := f.processes[0].token(t.Context(), want(), f.mint); err != nil {
				t.Fatal(err)
			}
			if n := f.store.count(""); n > before {
				if n > before+1 {
					t.Fatalf("one call asked a dead store %d times", n-before)
				}
				before = n
				asked = append(asked, now)
			}
		}
		for i := range asked[1:] {
			gap := asked[i+1].Sub(asked[i])
			if gap < breakMin || gap > breakMax+f.mintTime {
				t.Errorf("after %d failures the store was asked again after %v", i+1, gap)
			}
			if i > 6 && gap < breakMax/2 {
				t.Errorf("after %d failures the store was asked again after %v already", i+1, gap)
			}
		}

		// Back again: used within breakMax, and from then on by every call.
		f.store.setFail(nil)
		time.Sleep(breakMax)
		minted := f.mints()
		for range 3 {
			if _, _, err := f.processes[0].token(t.Context(), want(), f.mint); err != nil {
				t.Fatal(err)
			}
		}
		if f.mints() != minted+1 {
			t.Errorf("%d tokens minted by 3 calls after the store came back, want 1", f.mints()-minted)
		}
	})
}

func TestBreakerLetsOneIn(t *testing.T) {
	var b breaker
	now := time.Now()
	for range 3 { // in progress together
		if !b.enter(now) {
			t.Fatal("a caller was kept out before any failure")
		}
	}
	for range 3 {
		b.failed(now)
	}
	if b.failures != 1 {
		t.Errorf("failures of calls in progress together counted %d times", b.failures)
	}
	if b.enter(now) {
		t.Error("a caller was let in right after a failure")
	}
	now = now.Add(breakMax)
	if !b.enter(now) || b.enter(now) {
		t.Error("want exactly one caller let in after the break")
	}
	b.abandoned()
	if !b.enter(now) {
		t.Error("a caller that gave up keeps the others out")
	}
	b.succeeded()
	for range 2 {
		if !b.enter(now) {
			t.Error("callers are kept out after a success")
		}
	}
}

// TestSharedCanceledIsNoFailure has callers that leave while the store takes its time.
func TestSharedCanceledIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		f.store.latency = 100 * time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, _, err := f.processes[0].token(ctx, want(), f.mint); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of the context", err)
		}
		if f.processes[0].breaker.failures != 0 || len(f.reported) != 0 {
			t.Errorf("the store was blamed: %v", f.reported)
		}
	})
}
