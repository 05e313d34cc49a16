package rotate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// slowly are the options of a rotation that would take an hour and more.
func slowly(asked *int) []rotate.Option {
	return []rotate.Option{rotate.WithGrace(time.Hour), rotate.WithCancelOnFailure(), rotate.WithReady(func(context.Context, string) (bool, error) {
		*asked++
		return false, nil
	}, time.Minute)}
}

// TestCompromised waits for nothing, from the beginning or from the grace period, and proves at the
// end that the previous secret is refused.
func TestCompromised(t *testing.T) {
	for _, from := range []string{"the beginning", "the grace period"} {
		t.Run(from, bubble(func(t *testing.T) {
			w, asked := newWorld("a"), 0
			options := slowly(&asked)
			if from == "the grace period" {
				w.toGrace(t, w.rotator(options...))
			}
			began := time.Now()
			f, err := w.rotator(append(options, rotate.WithCompromised())...).Forecast(t.Context(), "client")
			if err != nil || f.Duration > 0 {
				t.Errorf("forecast %+v, %v", f, err)
			}
			w.log = nil
			if err := w.rotator(append(options, rotate.WithCompromised())...).Run(t.Context(), "client"); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > time.Minute || asked > 0 || w.record.State != rotate.Completed {
				t.Errorf("%v, asked %d times, %s", took, asked, w.record.State)
			}
			if n := len(w.log); w.log[n-2] != "probe" || w.proved["secret-0000"] {
				t.Errorf("the previous secret was not tried at the end: %v", w.log)
			}
			calls := w.count("pending") + w.count("start") + w.count("probe") + w.count("complete")
			if f.Calls != calls+1 || // a refused proof is followed by a look whether the client is active
				f.BilledTokens != w.count("probe")-1 {
				t.Errorf("forecast %+v, and there were %d calls with %d proofs", f, calls, w.count("probe"))
			}
			w.usable(t)
		}))
	}
}

// TestCompromisedStillWorks has the server accept the previous secret after the completion, for a
// moment or for longer. Then the error says so, and the advice in it leads to an end.
func TestCompromisedStillWorks(t *testing.T) {
	for name, test := range map[string]struct {
		undead int
		gone   bool // it never dies, and the client is deleted
	}{"for a moment": {2, false}, "for longer": {4, false}, "for good": {1000, true}} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a")
			w.undead = test.undead
			err := w.rotator(rotate.WithCompromised()).Run(t.Context(), "client")
			if name == "for a moment" {
				if err != nil || w.record.State != rotate.Completed {
					t.Fatalf("%v in %s", err, w.record.State)
				}
				return
			}
			var e *rotate.Error
			if !errors.As(err, &e) || !errors.Is(err, rotate.ErrCompromised) || e.Stage != rotate.Completing || e.Working.Current != rotate.Accepted {
				t.Fatal(err)
			}
			for _, want := range []string{"STILL WORKS", "run again", "delete the client"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
			w.usable(t)
			err = w.rotator(rotate.WithCompromised()).Run(t.Context(), "client")
			if test.gone {
				w.goneFor, w.outsider = -1, true
				if err = w.rotator(rotate.WithCompromised()).Run(t.Context(), "client"); !errors.Is(err, rotate.ErrGone) || w.record.State != rotate.Gone {
					t.Errorf("%v in %s", err, w.record.State)
				}
				return
			}
			if err != nil || w.record.State != rotate.Completed || w.completes != 1 {
				t.Errorf("%v in %s, %d completions", err, w.record.State, w.completes)
			}
		}))
	}
}

// TestCompromisedUnknown completes without knowing the previous secret, and does not claim that it
// is refused.
func TestCompromisedUnknown(t *testing.T) { synctest.Test(t, testCompromisedUnknown) }

func testCompromisedUnknown(t *testing.T) {
	w := newWorld("a")
	w.outsider = true
	w.sinks["a"] = rotate.Delivery{}
	err := w.rotator(rotate.WithCompromised(), rotate.WithUnknownCurrent()).Run(t.Context(), "client")
	if !errors.Is(err, rotate.ErrCompromised) || !strings.Contains(err.Error(), "not known") || w.record.State != rotate.Completed {
		t.Errorf("%v in %s", err, w.record.State)
	}
	w.usable(t)
}

// TestCompromisedDelivery does not go back to the compromised secret when a delivery fails.
func TestCompromisedDelivery(t *testing.T) { synctest.Test(t, testCompromisedDelivery) }

func testCompromisedDelivery(t *testing.T) {
	w, asked := newWorld("a"), 0
	w.before = map[string]func(){"deliver 1": func() { w.fates = []fate{refusedCall} }}
	options := append(slowly(&asked), rotate.WithCompromised())
	if err := w.rotator(options...).Run(t.Context(), "client"); !errors.Is(err, rotate.ErrDelivery) || w.cancels > 0 || w.record.State != rotate.Started {
		t.Fatalf("%v in %s", err, w.record.State)
	}
	if err := w.rotator(options...).Run(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
}
