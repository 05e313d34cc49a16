package rotate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestSetCurrent gives the engine a secret that no place has, in each situation that can be.
func TestSetCurrent(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(w *world)
		given   string
		want    error        // nil: the record has the secret
		state   rotate.State // of the record afterwards
	}{
		"nothing is in progress":      {given: "secret-0000", state: rotate.Planned},
		"it is refused":               {prepare: func(w *world) { w.mute = true }, given: "secret-9999", want: rotate.ErrCurrentRefused},
		"it ends differently":         {given: "secret-1111", want: rotate.ErrCurrentRefused},
		"the client is gone":          {prepare: func(w *world) { w.goneFor = -1 }, given: "secret-0000", want: &fault{text: "pending: no such client", gone: true}},
		"another rotation is pending": {prepare: func(w *world) { w.next = "secret-0001" }, given: "secret-0001", want: rotate.ErrInvalidArgument},
		"the current one of a client with another rotation pending": {
			prepare: func(w *world) { w.next = "secret-0001" }, given: "secret-0000", state: rotate.Planned,
		},
		"the record has the same": {
			prepare: func(w *world) { w.record = active(rotate.Planned, "secret-0000", "") }, given: "secret-0000", state: rotate.Planned,
		},
		"the record has one that is refused": {
			prepare: func(w *world) { w.record = active(rotate.Starting, "secret-9990", "") }, given: "secret-0000", state: rotate.Starting,
		},
		"the record has one that works too": {
			prepare: func(w *world) {
				w.record = active(rotate.Starting, "secret-0001", "")
				w.next, w.mute = "secret-0001", true
			},
			given: "secret-0000", want: rotate.ErrInvalidArgument, state: rotate.Starting,
		},
		"a person was needed": {
			prepare: func(w *world) {
				w.record = active(rotate.NeedsHuman, "", "")
				w.record.Stopped, w.record.Reason = rotate.Starting, "the current secret is not known"
			},
			given: "secret-0000", state: rotate.Starting,
		},
		"it is the next one": {
			prepare: func(w *world) {
				w.record = active(rotate.Started, "", "secret-0001")
				w.next, w.mute = "secret-0001", true
			},
			given: "secret-0001", want: rotate.ErrInvalidArgument, state: rotate.Started,
		},
	} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a")
			w.outsider, w.sinks["a"] = true, rotate.Delivery{}
			if test.prepare != nil {
				test.prepare(w)
			}
			before := w.record
			err := w.rotator().SetCurrent(t.Context(), "client", secret.New(test.given))
			if test.want != nil {
				var gone *fault
				if !errors.Is(err, test.want) && (!errors.As(test.want, &gone) || !errors.As(err, &gone)) {
					t.Fatalf("%v, want %v", err, test.want)
				}
				if strings.Contains(err.Error(), test.given) {
					t.Errorf("the error quotes the secret: %v", err)
				}
				if w.record.State != before.State || !w.record.Current.Equal(before.Current) {
					t.Errorf("the record was changed to %v", w.record)
				}
				return
			}
			if err != nil || w.record.State != test.state || w.record.Current.Reveal() != test.given {
				t.Errorf("%v, the record is %v", err, w.record)
			}
			if w.count("deliver")+w.count("start")+w.count("cancel")+w.count("complete") != 0 {
				t.Errorf("more than the journal was changed: %v", w.log)
			}
		}))
	}
}

// TestSetCurrentThenRun rotates a client whose secret no place has.
func TestSetCurrentThenRun(t *testing.T) { bubble(testSetCurrentThenRun)(t) }

func testSetCurrentThenRun(t *testing.T) {
	w := newWorld("a")
	w.sinks["a"] = rotate.Delivery{}
	r := w.rotator()
	if err := r.Run(t.Context(), "client"); !errors.Is(err, rotate.ErrCurrentUnknown) {
		t.Fatalf("Run: %v", err)
	}
	if err := r.SetCurrent(t.Context(), "client", secret.String{}); !errors.Is(err, rotate.ErrInvalidArgument) {
		t.Errorf("an empty secret: %v", err)
	}
	if err := r.SetCurrent(t.Context(), "client", secret.New(w.current)); err != nil {
		t.Fatal(err)
	}
	if err := r.Resume(t.Context(), "client"); err != nil || w.record.State != rotate.Completed || !w.record.Current.IsZero() {
		t.Errorf("Resume: %v, the record is %v", err, w.record)
	}
	if got := w.sinks["a"].Secret.Reveal(); got != w.current {
		t.Error("the place does not hold the new secret")
	}
	held := w.rotator(rotate.WithObserver(func(_ context.Context, e rotate.Event) {
		if e.From != rotate.Completed || e.To != rotate.Planned {
			t.Errorf("observers saw %v", e)
		}
	}))
	if err := held.SetCurrent(t.Context(), "client", secret.New(w.current)); err != nil || time.Since(w.record.PlannedAt) > time.Second {
		t.Errorf("of a client that was rotated: %v, the record is %v", err, w.record)
	}
}

// active is the record of a rotation in progress.
func active(state rotate.State, current, next string) rotate.Record {
	rec := rotate.NewRecord("client", time.Now())
	rec.State = state
	if current != "" {
		rec.Current = secret.New(current)
	}
	if next != "" {
		rec.Next = secret.New(next)
	}
	return rec
}
