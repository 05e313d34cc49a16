package rate

import (
	"math"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newPolicy(t *testing.T, perSecond float64, burst int) Policy {
	t.Helper()
	p, err := NewPolicy(perSecond, burst)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run takes n tokens one by one, waiting as long as Take asks and late by so much, and returns when
// each came, after start.
func run(t *testing.T, p Policy, s State, now time.Time, n int, late time.Duration) (at []time.Duration) {
	t.Helper()
	for waited := false; len(at) < n; {
		next, granted, wait := p.Take(s, now, 1, waited)
		s = next
		switch {
		case granted == 1 && wait == 0:
			at = append(at, now.Sub(start))
			waited = false
		case granted == 0 && wait > 0:
			now = now.Add(wait + late)
			waited = true
		default:
			t.Fatalf("granted %d, wait %v", granted, wait)
		}
	}
	return at
}

func TestNewPolicy(t *testing.T) {
	for _, perSecond := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := NewPolicy(perSecond, 1); err == nil || err.Error() != "rate must be positive and finite" {
			t.Errorf("rate %v: %v", perSecond, err)
		}
	}
	if _, err := NewPolicy(1, 0); err == nil || err.Error() != "burst must be at least 1" {
		t.Errorf("burst 0: %v", err)
	}
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		perSecond float64
		burst, n  int
		last      time.Duration
	}{
		{10, 1, 101, 10 * time.Second},
		{10, 20, 120, 10 * time.Second},
		{0.001, 1, 2, 1000 * time.Second},
		{2000, 1, 4001, 2 * time.Second},
	} {
		p := newPolicy(t, c.perSecond, c.burst)
		at := run(t, p, p.Full(start), start, c.n, 0)
		if last := at[len(at)-1]; last < c.last-time.Microsecond || last > c.last+10*time.Microsecond {
			t.Errorf("%d tokens at %v/s with a burst of %d took %v, want %v", c.n, c.perSecond, c.burst, last, c.last)
		}
	}
}

// A timer that is late must not cost rate: with a burst of 1, half of it would be gone here.
func TestLateTimer(t *testing.T) {
	p := newPolicy(t, 1000, 1)
	at := run(t, p, p.Full(start), start, 5001, time.Millisecond)
	if last := at[len(at)-1]; last > 5010*time.Millisecond {
		t.Errorf("5000 tokens at 1000/s took %v", last)
	}
	if _, granted, _ := p.Take(p.Full(start), start.Add(time.Hour), 5, false); granted != 1 {
		t.Errorf("%d granted after a rest, the burst is 1", granted)
	}
	s, _, _ := p.Take(p.Full(start), start.Add(time.Hour), 1, false)
	if s.Tokens != 0 {
		t.Errorf("%v tokens are left over the burst", s.Tokens)
	}
}

func TestBatch(t *testing.T) {
	p := newPolicy(t, 10, 5)
	s, granted, _ := p.Take(p.Full(start), start, 3, false)
	if granted != 3 {
		t.Fatalf("%d granted, want 3", granted)
	}
	s, granted, _ = p.Take(s, start, 3, false) // what is there
	if granted != 2 {
		t.Fatalf("%d granted, want 2", granted)
	}
	if _, granted, wait := p.Take(s, start, 3, false); granted != 0 || wait != 300*time.Millisecond {
		t.Errorf("granted %d, wait %v for 3 at 10/s", granted, wait)
	}
	if _, granted, wait := p.Take(s, start, 100, false); granted != 0 || wait != 500*time.Millisecond {
		t.Errorf("granted %d, wait %v for more than the burst", granted, wait)
	}
}

func TestThrottle(t *testing.T) {
	p := newPolicy(t, 10, 5)
	for name, c := range map[string]struct {
		waits []time.Duration
		want  time.Duration
	}{
		"as asked":    {[]time.Duration{20 * time.Second}, 20 * time.Second},
		"longest":     {[]time.Duration{24 * time.Hour}, time.Hour},
		"not said":    {[]time.Duration{0}, time.Second},
		"negative":    {[]time.Duration{-time.Hour}, time.Second},
		"too short":   {[]time.Duration{time.Millisecond}, time.Second},
		"shorter":     {[]time.Duration{20 * time.Second, time.Second, 0}, 20 * time.Second},
		"longer":      {[]time.Duration{time.Second, 20 * time.Second}, 20 * time.Second},
		"many unsaid": {[]time.Duration{0, 0, 0, 0}, time.Second},
	} {
		s := p.Full(start)
		for _, wait := range c.waits {
			s = p.Throttle(s, start, wait)
		}
		if rate := p.Rate(s, start); rate != 5 {
			t.Errorf("%s: the rate is %v, want it halved once", name, rate)
		}
		if _, granted, wait := p.Take(s, start, 5, false); granted != 0 || wait != c.want {
			t.Errorf("%s: granted %d, wait %v, want %v", name, granted, wait, c.want)
		}
		at := run(t, p, s, start, 2, 0)
		if at[0] != c.want || at[1] < c.want+190*time.Millisecond {
			t.Errorf("%s: tokens after %v, want one after %v and the next at half of the rate", name, at, c.want)
		}
		if got := p.Rate(s, start.Add(c.want)); got != 5 {
			t.Errorf("%s: the rate is %v at the end of the pause: it must not grow during it", name, got)
		}
	}
}

func TestRecovery(t *testing.T) {
	p := newPolicy(t, 64, 1)
	s, now := p.Full(start), start
	for i, want := range []float64{32, 16, 8, 4, 2, 1, 1, 1} {
		s = p.Throttle(s, now, 0)
		now = s.Filled
		if got := p.Rate(s, now); math.Abs(got-want) > 1e-9 {
			t.Errorf("after %d pauses the rate is %v, want %v", i+1, got, want)
		}
	}
	for after, want := range map[time.Duration]float64{0: 1, 30 * time.Second: 17, time.Minute: 33, 119 * time.Second: 64, time.Hour: 64} {
		if got := p.Rate(s, now.Add(after)); math.Abs(got-want) > 0.5 {
			t.Errorf("%v after the pause the rate is %v, want %v", after, got, want)
		}
	}
	once := p.Throttle(p.Full(start), start, 0)
	if got := p.Rate(once, once.Filled.Add(time.Minute)); got != 64 {
		t.Errorf("a minute after a single pause the rate is %v", got)
	}
	// While the rate grows, the wait is never computed from the low rate for long.
	slow := newPolicy(t, 0.01, 1)
	low := slow.Throttle(slow.Full(start), start, 0)
	low, _, _ = slow.Take(low, low.Filled, 1, true)
	if _, granted, wait := slow.Take(low, low.Filled, 1, true); granted != 0 || wait != time.Second {
		t.Errorf("granted %d, wait %v while the rate grows", granted, wait)
	}
}

// A clock that is set back by days must not stop the work for days.
func TestClockSetBack(t *testing.T) {
	p := newPolicy(t, 10, 5)
	s := p.Throttle(p.Full(start), start, time.Minute)
	before := start.Add(-48 * time.Hour)
	if _, granted, _ := p.Take(s, before, 1, false); granted != 1 {
		t.Error("nothing is granted after the clock was set back")
	}
	if s := p.Throttle(s, before, 0); !s.Filled.Equal(before.Add(time.Second)) {
		t.Errorf("a pause until %v, now is %v", s.Filled, before)
	}
}
