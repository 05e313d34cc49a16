package torture

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/rotate"
)

func long() bool { return heavy.Long() }

type trial struct {
	story
	variant
	point string
	pause bool // and be killed while another engine tries to work
}

func (tr trial) String() string { return fmt.Sprintf("%s, %v, %s", tr.name, tr.variant, tr.point) }

// TestKill kills a process at every moment that it reports, once for each variant of the server,
// looks at what is left, and lets another process finish.
func TestKill(t *testing.T) {
	var sum tally
	var trials []trial
	for i, s := range stories {
		points := s.moments(t)
		sum.points += len(points)
		for n, point := range points {
			for v := range variants {
				mine := (i + n) % len(variants)
				everywhere := long() || i < 2 && !raceDetector && !strings.HasPrefix(point, "disk")
				if raceDetector && n%3 != 0 || !heavy.Enabled() && (v != mine || n%12 != 0) {
					continue
				}
				if v == mine || everywhere {
					trials = append(trials, trial{s, variants[v], point, v == mine && (n%2 == 0 || everywhere)})
				}
			}
		}
	}
	each(trials, func(tr trial) {
		t.Run("", func(t *testing.T) { sum.report(t, tr.String(), tr.run(t, &sum)) })
	})
	t.Logf("%d points, %d processes, %d kills, %d times another engine was refused, %d exceptions", sum.points, sum.runs, sum.kills, sum.busy, sum.breaches)
}

func (tr trial) run(t *testing.T, sum *tally) (wrongs []string) {
	s := tr.story.service(t, tr.variant)
	o := s.order
	if tr.pause {
		o.Pause = tr.point
	} else {
		o.Die = tr.point
	}
	p, err := s.start(o)
	if err != nil {
		return []string{err.Error()}
	}
	if tr.pause && p.follow(tr.point) {
		s.checkAlive("at the point")
		s.checkBusy(p, sum)
		_ = p.Process.Kill()
	}
	if code := s.end(p); code != -1 {
		s.wrong("the point was not reached: exit code %d", code)
	}
	s.checkAlive("after the kill")
	s.finish(tr.story)
	sum.add(2, 1)
	return s.wrongs
}

// finish is I5: one more process ends it.
func (s *service) finish(tale story) {
	if p, code := s.run(s.order); code != tale.exit() {
		last := ""
		if len(p.told) > 0 {
			last = p.told[len(p.told)-1].String()
		}
		s.wrong("I5: the process after it ended with %d after %q: %s", code, last, s.texts[len(s.texts)-1])
	}
	s.checkEnd(tale.state())
	s.checkTexts()
}

// checkBusy is I6: while a process has the claim, a second engine gets ErrBusy.
func (s *service) checkBusy(p *process, sum *tally) {
	held := false
	for _, e := range p.told {
		switch e.moment.String() {
		case "claim: after":
			held = true
		case "release: after":
			held = false
		}
	}
	if !held || p.told[len(p.told)-1].What == "release" { // which may have happened already
		return
	}
	r, err := s.rotator(&witness{tell: func(moment) {}})
	if err != nil {
		s.wrong("no second engine: %v", err)
		return
	}
	if err := r.Run(context.Background(), s.Client); !errors.Is(err, rotate.ErrBusy) {
		s.wrong("I6: a second engine got %v", err)
		return
	}
	sum.mu.Lock()
	sum.busy++
	sum.mu.Unlock()
}
