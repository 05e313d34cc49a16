package rotate_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

func newBucket(tb testing.TB, perSecond float64, burst int) *rotate.Bucket {
	tb.Helper()
	b, err := rotate.NewBucket(perSecond, burst)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// take takes n tokens in several goroutines, and returns how long each took.
func take(t *testing.T, b *rotate.Bucket, n, goroutines int) (at []time.Duration) {
	t.Helper()
	began := time.Now()
	var mu sync.Mutex
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for range n / goroutines {
				if err := b.Wait(t.Context()); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				at = append(at, time.Since(began))
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return at
}

func TestNewBucket(t *testing.T) {
	for _, rate := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if b, err := rotate.NewBucket(rate, 1); b != nil || !errors.Is(err, rotate.ErrInvalidArgument) {
			t.Errorf("rate %v: %v", rate, err)
		}
	}
	if b, err := rotate.NewBucket(1, 0); b != nil || !errors.Is(err, rotate.ErrInvalidArgument) {
		t.Errorf("burst 0: %v", err)
	}
}

func TestBucketRate(t *testing.T) {
	for _, test := range []struct {
		rate       float64
		burst, n   int
		goroutines int
		last       time.Duration
	}{
		{10, 1, 101, 1, 10 * time.Second},
		{10, 20, 120, 8, 10 * time.Second},
		{0.01, 1, 2, 1, 100 * time.Second},
		{2000, 1, 4001, 1, 2 * time.Second},
		{3, 1, 31, 1, 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			at := take(t, newBucket(t, test.rate, test.burst), test.n, test.goroutines)
			if last := at[len(at)-1]; last < test.last-time.Microsecond || last > test.last+10*time.Microsecond {
				t.Errorf("%d tokens at %v/s with a burst of %d took %v, want %v", test.n, test.rate, test.burst, last, test.last)
			}
			for i, when := range at { // never ahead of the rate
				if allowed := float64(test.burst) + test.rate*when.Seconds() + 1e-3; float64(i+1) > allowed {
					t.Fatalf("token %d came after %v", i+1, when)
				}
			}
		})
	}
}

// TestBucketRest checks that tokens that are not taken are lost, except for the burst.
func TestBucketRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(t, 10, 5)
		take(t, b, 5, 1)
		time.Sleep(time.Hour)
		if at := take(t, b, 7, 1); at[4] != 0 || at[5] == 0 || at[6] < 199*time.Millisecond {
			t.Errorf("after an hour of rest the tokens came after %v", at)
		}
	})
}

func TestBucketOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(t, 1, 1)
		take(t, b, 1, 1)
		var mu sync.Mutex
		var got []int
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				if err := b.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				got = append(got, i) // one a second
			})
			synctest.Wait()
		}
		group.Wait()
		for i, who := range got {
			if who != i {
				t.Fatalf("served in the order %v", got)
			}
		}
	})
}

// TestBucketContext checks that a caller that gives up costs the others nothing.
func TestBucketContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(t, 1, 1)
		take(t, b, 1, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		var group sync.WaitGroup
		for range 5 {
			group.Go(func() {
				if err := b.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Wait: %v", err)
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		take(t, b, 1, 1)
		if passed := time.Since(began); passed != time.Second {
			t.Errorf("the token came after %v", passed)
		}
		group.Wait()
		if err := b.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait with a context that has ended: %v", err)
		}
	})
}

// TestBucketThrottle checks that no caller gets a token during a pause, those that wait already
// included.
func TestBucketThrottle(t *testing.T) {
	for name, test := range map[string]struct {
		waits []time.Duration
		want  time.Duration
	}{
		"said":        {[]time.Duration{20 * time.Second}, 20 * time.Second},
		"longest":     {[]time.Duration{24 * time.Hour}, time.Hour},
		"unsaid":      {[]time.Duration{0}, time.Second},
		"shorter":     {[]time.Duration{20 * time.Second, time.Second, -1}, 20 * time.Second},
		"longer":      {[]time.Duration{time.Second, 20 * time.Second}, 20 * time.Second},
		"many unsaid": {[]time.Duration{0, 0, 0, 0}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBucket(t, 10, 1)
				take(t, b, 1, 1)
				var group sync.WaitGroup
				first := make(chan time.Duration, 8)
				began := time.Now()
				for range cap(first) {
					group.Go(func() {
						_ = b.Wait(t.Context())
						first <- time.Since(began)
					})
				}
				synctest.Wait()
				for _, wait := range test.waits {
					b.Throttle(wait)
				}
				if rate := b.Rate(); rate != 5 { // halved once
					t.Errorf("the rate is %v, want 5", rate)
				}
				group.Wait()
				if got := <-first; got != test.want {
					t.Errorf("the first token came after %v, want %v", got, test.want)
				}
				if got := <-first; got < test.want+190*time.Millisecond {
					t.Errorf("the second token came after %v, want it at half of the rate", got)
				}
			})
		})
	}
}

// The rate grows back by half of the full one per minute. Package rate tests the details.
func TestBucketRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(t, 16, 1)
		rate := func(want float64) {
			t.Helper()
			if got := b.Rate(); math.Abs(got-want) > 1e-6 {
				t.Errorf("the rate is %v, want %v", got, want)
			}
		}
		rate(16)
		b.Throttle(time.Second)
		rate(8)
		time.Sleep(31 * time.Second)
		rate(12)
		n, began := 0, time.Now()
		for ; time.Since(began) < 30*time.Second; n++ {
			if err := b.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n < 415 || n > 425 {
			t.Errorf("%d tokens while the rate grew, want about %v", n, 30*(12.0+16)/2)
		}
		rate(16)
	})
}
