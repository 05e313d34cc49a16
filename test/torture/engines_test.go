package torture

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// TestTwoEngines lets two engines work on one client at once, many times. If one finds the other at
// work it says so and does nothing. If it comes after the other has finished, it makes a rotation
// of its own, from the beginning to the end.
func TestTwoEngines(t *testing.T) {
	runs, byProcesses := heavy.Count(20, 200), heavy.Count(4, 30)
	var mu sync.Mutex
	busy, both := 0, 0
	jobs := make([]int, runs)
	for i := range jobs {
		jobs[i] = i
	}
	each(jobs, func(i int) {
		t.Run("", func(t *testing.T) {
			s := newService(t, variants[i%len(variants)])
			engine := s.inProcess
			if i < byProcesses {
				engine = s.byProcess
			}
			done, refused := s.race(engine, i%5 == 0)
			mu.Lock()
			busy += refused
			if done == 2 {
				both++
			}
			mu.Unlock()
			for _, text := range s.wrongs {
				t.Error(text)
			}
		})
	})
	t.Logf("%d runs: %d engines were refused, %d came after the other one", runs, busy, both)
	if busy < runs/4 || both < runs/5 {
		t.Errorf("of %d runs, in %d an engine met the other one at work, and in %d it came after it", runs, busy, both)
	}
}

// race runs an engine twice at once. One that insists asks until the other has finished.
func (s *service) race(engine func() outcome, insists bool) (done, refused int) {
	stop := s.watch()
	outcomes := make(chan outcome, 2)
	begin := make(chan struct{})
	for range 2 {
		go func() {
			<-begin
			o := engine()
			for insists && o.code == exitBusy {
				o = engine()
			}
			outcomes <- o
		}()
	}
	close(begin)
	for range 2 {
		o := <-outcomes
		for _, text := range o.wrongs {
			s.wrong("%s", text)
		}
		switch {
		case o.code == exitCompleted:
			done++
		case o.code == exitBusy:
			refused++
		default:
			s.wrong("an engine ended with %d", o.code)
		}
	}
	stop()
	if done == 0 || insists && done != 2 {
		s.wrong("%d engines did anything", done)
	}
	s.checkOneByOne(done)
	s.checkEnd(rotate.Completed)
	return done, refused
}

// checkOneByOne reads in the server's log that rotations followed each other.
func (s *service) checkOneByOne(rotations int) {
	var effects []string
	for _, r := range s.Requests() {
		switch r.Operation {
		case "StartM2MClientSecretRotation", "CompleteM2MClientSecretRotation", "CancelM2MClientSecretRotation":
			effects = append(effects, r.Operation)
			if r.Status != 200 {
				s.wrong("%s was answered with %d", r.Operation, r.Status)
			}
		}
	}
	if len(effects) != 2*rotations {
		s.wrong("%d rotations made %v", rotations, effects)
	}
	for i, operation := range effects {
		if operation != []string{"StartM2MClientSecretRotation", "CompleteM2MClientSecretRotation"}[i%2] {
			s.wrong("rotations were mixed: %v", effects)
			return
		}
	}
}

type outcome struct {
	code   int
	wrongs []string
}

// inProcess is an engine with a journal handle of its own.
func (s *service) inProcess() outcome {
	var r rules
	engine, err := s.rotator(&witness{tell: r.see})
	if err != nil {
		return outcome{code: exitFailed, wrongs: []string{err.Error()}}
	}
	err = engine.Run(context.Background(), s.Client)
	switch {
	case err == nil:
		return outcome{exitCompleted, r.broken}
	case errors.Is(err, rotate.ErrBusy):
		return outcome{exitBusy, r.broken}
	}
	return outcome{exitFailed, append(r.broken, err.Error())}
}

func (s *service) byProcess() outcome {
	alone := service{server: s.server, order: s.order} // what it collects is its own
	_, code := alone.run(s.order)
	return outcome{code, alone.wrongs}
}
