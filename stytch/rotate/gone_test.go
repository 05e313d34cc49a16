package rotate_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
)

// TestGone deletes the client in every state. The rotation ends for good, and holds no secret.
func TestGone(t *testing.T) {
	for steps := range 7 {
		for _, verb := range []string{"Run", "Resume", "Cancel", "Advance"} {
			w := newWorld("a")
			t.Run(verb, bubble(func(t *testing.T) {
				w.outsider = true
				if err := w.rotator().Plan(t.Context(), "client"); err != nil {
					t.Fatal(err)
				}
				for range steps {
					if _, err := w.rotator(rotate.WithGrace(time.Second)).Step(t.Context(), "client"); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(2 * time.Second)
				w.goneFor = -1
				var events []rotate.Event
				r := w.rotator(rotate.WithObserver(func(_ context.Context, e rotate.Event) { events = append(events, e) }))
				var err error
				switch verb {
				case "Run":
					err = r.Run(t.Context(), "client")
				case "Resume":
					err = r.Resume(t.Context(), "client")
				case "Cancel":
					err = r.Cancel(t.Context(), "client")
				case "Advance":
					_, err = r.Advance(t.Context(), "client")
				}
				var e *rotate.Error
				if !errors.As(err, &e) || !errors.Is(err, rotate.ErrGone) || e.Stage != rotate.Gone {
					t.Fatalf("step %d: %v", steps, err)
				}
				w.named(err)
				if w.record.State != rotate.Gone || !w.record.Current.IsZero() || !w.record.Next.IsZero() {
					t.Errorf("step %d: the journal has %s, or a secret", steps, w.record.State)
				}
				if len(events) != 2 || events[0].To != rotate.Gone || events[0].From == rotate.Gone || !errors.Is(events[1].Err, rotate.ErrGone) {
					t.Errorf("step %d: events %+v", steps, events)
				}
				for range w.Unfinished(t.Context()) {
					t.Error("it is still unfinished")
				}
				if err := r.Resume(t.Context(), "client"); !errors.Is(err, rotate.ErrNoRotation) {
					t.Errorf("Resume of what is over: %v", err)
				}
				calls := len(w.log)
				if err := r.Run(t.Context(), "client"); !errors.Is(err, rotate.ErrGone) || len(w.log) != calls+4 { // claim, look, and two writes at most
					t.Errorf("Run of what is gone: %v, %v", err, w.log[calls:])
				}
				w.goneFor, w.current, w.next = 0, w.sinks["a"].Secret.Reveal(), "" // it was created again
				if err := r.Run(t.Context(), "client"); err != nil || w.record.State != rotate.Completed {
					t.Errorf("Run of what exists again: %v in %s", err, w.record.State)
				}
			}))
		}
	}
}

// TestGoneForAMoment has the server deny the client once or twice in the middle of a rotation,
// which is no reason to erase secrets.
func TestGoneForAMoment(t *testing.T) { synctest.Test(t, testGoneForAMoment) }

func testGoneForAMoment(t *testing.T) {
	for denials := 1; denials <= 2; denials++ {
		for _, call := range []string{"probe 2", "complete 1", "pending 2"} {
			w := newWorld("a")
			w.before = map[string]func(){call: func() { w.goneFor = denials }}
			if err := w.rotator().Run(t.Context(), "client"); err != nil || w.record.State != rotate.Completed {
				t.Errorf("%d at %s: %v in %s", denials, call, err, w.record.State)
			}
			for _, wrong := range w.wrongs {
				t.Error(wrong)
			}
		}
	}
}

// TestGonePlace has a place and the caller's functions say that something is gone. That says
// nothing about the client.
func TestGonePlace(t *testing.T) { synctest.Test(t, testGonePlace) }

func testGonePlace(t *testing.T) {
	w := newWorld("a")
	lost := rotate.DelivererFunc(func(context.Context, rotate.Delivery) error { return &fault{text: "no such secret", gone: true} })
	r, err := rotate.New(w, rotate.Deliverers{"a": worldSink{w, "a"}, "lost": lost}, w)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context(), "client"); !errors.Is(err, rotate.ErrDelivery) || errors.Is(err, rotate.ErrGone) || w.record.State != rotate.Started {
		t.Errorf("%v in %s", err, w.record.State)
	}
}
