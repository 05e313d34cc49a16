package fleet_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// TestPanicOfOneClient has a deliverer and an observer panic for one client: it fails, and the
// others are rotated.
func TestPanicOfOneClient(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, _ *memory) {
		p.hook = func(what, id string) error {
			if what == "deliver" && id == "client-00003" {
				panic("no such place")
			}
			return nil
		}
		var stack atomic.Value
		r := p.rotator(t, j, rotate.WithObserver(func(_ context.Context, e rotate.Event) {
			if e.Stack != "" {
				stack.Store(e.Stack)
				panic("in the observer")
			}
		}))
		f := newFleet(t, r, fleet.WithProgress(time.Second, func(fleet.Progress) { panic("in the progress") }))
		report, err := f.Run(t.Context(), each(names(10)))
		if err != nil || report.Done != 9 || report.Failed != 1 || len(report.Failures) == 0 {
			t.Fatalf("%+v, %v", report, err)
		}
		if text := report.Failures[0].Error(); !strings.Contains(text, "Deliver panicked: no such place") {
			t.Error(text)
		}
		if s, _ := stack.Load().(string); !strings.Contains(s, "panic_test.go") {
			t.Errorf("the observer got %d bytes of stack", len(s))
		}
	})
}

type panickyQueue struct{ rotate.Queue }

func (panickyQueue) Next(context.Context, time.Duration) (rotate.Claim, time.Duration, error) {
	panic("no connection")
}

// TestPanicOfAll is for what belongs to no client: the fleet ends with an error.
func TestPanicOfAll(t *testing.T) {
	list := iter.Seq2[string, error](func(yield func(string, error) bool) {
		yield("client-00001", nil)
		panic("no search")
	})
	for name, test := range map[string]struct {
		journal rotate.Journal
		clients iter.Seq2[string, error]
		options []fleet.Option
		is      error
		want    string
	}{
		"queue": {panickyQueue{newQueue()}, each(names(3)), nil, rotate.ErrJournal, "Journal panicked: no connection"},
		"list":  {newMemory(), list, nil, nil, "the list of clients panicked: no search"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newServer().rotator(t, test.journal)
			_, err := newFleet(t, r, test.options...).Run(t.Context(), test.clients)
			if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
