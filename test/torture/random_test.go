package torture

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
)

// TestKillAtRandom kills processes at any time, several in a row, while the oracle looks on.
func TestKillAtRandom(t *testing.T) {
	kills := heavy.Count(16, 50)
	if long() {
		kills = 1000 * len(variants)
	}
	sum := tally{after: map[string]int{}}
	for _, tale := range stories {
		tale.life(t) // the first time all is cold
		sum.life += tale.life(t) / time.Duration(len(stories))
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d; a process works for %v", seed, sum.life)
	for batch := uint64(0); sum.kills < kills && sum.breaches == 0; batch++ {
		jobs := make([]uint64, min(kills, 200)/4)
		for i := range jobs {
			jobs[i] = batch*uint64(len(jobs)) + uint64(i)
		}
		each(jobs, func(i uint64) {
			t.Run("", func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, i))
				tale, v := stories[random.IntN(len(stories))], variants[i%uint64(len(variants))]
				s := tale.service(t, v)
				for range 2 {
					s.killAfter(random.Float64(), &sum)
				}
				s.finish(tale)
				sum.add(1, 0)
				sum.report(t, fmt.Sprintf("%s, %v", tale.name, v), s.wrongs)
			})
		})
	}
	if heavy.Enabled() && len(sum.after) < 10 {
		t.Errorf("only after %d different moments: that is not random", len(sum.after))
	}
	t.Logf("%d processes, %d kills after %d different moments, %d exceptions", sum.runs, sum.kills, len(sum.after), sum.breaches)
}

// life is how long a process of a story works if it is not killed and the machine is idle.
func (s story) life(t *testing.T) time.Duration {
	svc := s.service(t, variants[0])
	p, code := svc.run(svc.order)
	if code != s.exit() {
		t.Fatalf("%s, undisturbed: exit code %d", s.name, code)
	}
	return p.told[len(p.told)-1].At.Sub(p.told[0].At)
}

// killAfter runs a process, and kills it after a part of the time that it may take among others.
func (s *service) killAfter(part float64, sum *tally) {
	p, err := s.start(s.order)
	if err != nil {
		s.wrong("no process: %v", err)
		return
	}
	p.follow("begin: before #1")
	stop := s.watch()
	dead := make(chan struct{})
	go func() {
		defer close(dead)
		p.follow("")
	}()
	select {
	case <-time.After(time.Duration(part * float64(sum.life))):
	case <-dead:
	}
	_ = p.Process.Kill()
	<-dead
	stop()
	killed := 0
	if s.end(p) == -1 {
		killed = 1
		sum.note(p.told[len(p.told)-1].moment)
	}
	sum.add(1, killed)
	s.checkAlive("after the kill")
}
