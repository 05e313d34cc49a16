package fleet

import (
	"math"
	"time"

	"github.com/stytchkit/m2m/internal/guard"
)

// smoothing is the time over which a rate is averaged.
const smoothing = 15 * time.Second

// Progress is how far a fleet has come. For the first five numbers see [Report].
type Progress struct {
	Done, Failed, Busy, Skipped, Gone int

	Waiting int           // in their grace period
	Left    int           // of [WithTotal], those waiting included; -1 if that is not known
	Rate    float64       // recently completed rotations per second
	ETA     time.Duration // time for Left at this rate; 0 if one of them is not known
}

// meter computes a rate.
type meter struct {
	at   time.Time
	done int
	rate float64
}

func (m *meter) read(now time.Time, done int) float64 {
	if passed := now.Sub(m.at); passed > 0 {
		current := float64(done-m.done) / passed.Seconds()
		weight := 1 - math.Exp(-passed.Seconds()/smoothing.Seconds())
		if m.rate == 0 {
			weight = 1
		}
		m.rate += weight * (current - m.rate)
		m.at, m.done = now, done
	}
	return m.rate
}

func (c *counters) progress(m *meter, total int) Progress {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.report
	p := Progress{
		Done: r.Done, Failed: r.Failed, Busy: r.Busy, Skipped: r.Skipped, Gone: r.Gone, Waiting: c.waiting,
		Left: -1, Rate: m.read(time.Now(), r.Done),
	}
	if total > 0 {
		p.Left = max(0, total-r.Done-r.Failed-r.Busy-r.Skipped-r.Gone)
	}
	if p.Left > 0 && p.Rate > 0 {
		p.ETA = time.Duration(min(float64(p.Left)/p.Rate*float64(time.Second), math.MaxInt64/2))
	}
	return p
}

// reportProgress calls f at intervals until end is called, and then once more. A panic of f is
// ignored.
func reportProgress(c *counters, total int, every time.Duration, f func(Progress)) (end func()) {
	if f == nil {
		return func() {}
	}
	m := &meter{at: time.Now()}
	report := func() { _ = guard.Run("WithProgress", func() { f(c.progress(m, total)) }) }
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				report()
			case <-quit:
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-gone
		report()
	}
}
