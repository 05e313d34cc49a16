package rotate

import (
	"math"
	"time"
)

// smoothing is how far back the rate looks.
const smoothing = 15 * time.Second

// Progress is how far a fleet has come. See [Report] for the first four.
type Progress struct {
	Done, Failed, Busy, Skipped int

	Waiting int           // in their grace period
	Left    int           // of [Fleet.Total], those waiting included; -1 if that is not known
	Rate    float64       // completed rotations a second, lately
	ETA     time.Duration // for what is left, at this rate; 0 if one of them is not known
}

// meter turns counts into a rate.
type meter struct {
	at   time.Time
	done int
	rate float64
}

func (m *meter) read(now time.Time, done int) float64 {
	if passed := now.Sub(m.at); passed > 0 {
		lately := float64(done-m.done) / passed.Seconds()
		weight := 1 - math.Exp(-passed.Seconds()/smoothing.Seconds())
		if m.rate == 0 {
			weight = 1
		}
		m.rate += weight * (lately - m.rate)
		m.at, m.done = now, done
	}
	return m.rate
}

func (t *tally) progress(m *meter, total int) Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.report
	p := Progress{
		Done: r.Done, Failed: r.Failed, Busy: r.Busy, Skipped: r.Skipped, Waiting: t.waiting,
		Left: -1, Rate: m.read(time.Now(), r.Done),
	}
	if total > 0 {
		p.Left = max(0, total-r.Done-r.Failed-r.Busy-r.Skipped)
	}
	if p.Left > 0 && p.Rate > 0 {
		p.ETA = time.Duration(min(float64(p.Left)/p.Rate*float64(time.Second), math.MaxInt64/2))
	}
	return p
}

// watch tells the progress from time to time until end is called, which tells the last one.
func (c *crew) watch() (end func()) {
	tell := c.fleet.Progress
	if tell == nil {
		return func() {}
	}
	m := &meter{at: time.Now()}
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticker := time.NewTicker(c.fleet.ProgressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				tell(c.tally.progress(m, c.fleet.Total))
			case <-quit:
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-gone
		tell(c.tally.progress(m, c.fleet.Total))
	}
}
