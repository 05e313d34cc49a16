package rotate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestCalls pins what a rotation costs and in which order things happen.
func TestCalls(t *testing.T) {
	const begin = "claim read pending check probe write starting start write started probe deliver write delivered read write verified "
	const end = "write completing pending complete pending probe deliver read write completed"
	for name, test := range map[string]struct {
		options []rotate.Option
		want    string
	}{
		"plain": {nil, begin + end},
		"short grace": { // shorter than what is known is good for
			[]rotate.Option{rotate.WithGrace(time.Second)}, begin + "write grace read " + end,
		},
		"grace": {
			[]rotate.Option{rotate.WithGrace(time.Minute)}, begin + "write grace write grace pending probe read " + end, // the second one keeps the claim

		},
	} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a")
			if err := w.rotator(test.options...).Run(t.Context(), "client"); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(w.log, " "); got != test.want {
				t.Errorf("the calls were\n%s\nwant\n%s", got, test.want)
			}
			if w.current != "secret-0001" || w.sinks["a"].Secret.Reveal() != w.current {
				t.Error("the next secret is not in use")
			}
		}))
	}
}

// TestScenes plays what other actors and liars do at the worst moment.
func TestScenes(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(w *world)
		options []rotate.Option
		want    error        // of Run; nil for success
		state   rotate.State // in the journal afterwards
		check   func(w *world) bool
	}{
		"canceled and restarted by somebody else before the completion": {
			prepare: func(w *world) { // between the last proof and the intent
				w.before["write completing 1"] = func() { w.outsiderCancels(); w.outsiderStarts() }
			},
			want: rotate.ErrOtherRotation, state: rotate.Completing,
			check: func(w *world) bool { return w.completes == 0 && w.cancels == 0 },
		},
		"completed by somebody else, who started another one": {
			prepare: func(w *world) {
				w.before["write completing 1"] = func() { w.outsiderCompletes(); w.outsiderStarts() }
			},
			state: rotate.Completed,
			check: func(w *world) bool { return w.completes == 0 && w.next != "" && w.current == "secret-0001" },
		},
		"canceled by somebody else just before the completion, which is ignored": {
			prepare: func(w *world) {
				w.ignoreWhileIdle = true
				w.before["complete 1"] = w.outsiderCancels
			},
			state: rotate.Completed, // with another next secret
			check: func(w *world) bool { return w.minted == 2 && w.current == "secret-0002" && w.record.Restarts == 1 },
		},
		"canceled by somebody else again and again": {
			prepare: func(w *world) {
				for _, n := range []string{"1", "2", "3", "4", "5"} {
					w.before["deliver "+n] = w.outsiderCancels
				}
			},
			options: []rotate.Option{rotate.WithGrace(time.Minute)},
			want:    rotate.ErrOtherRotation,
			state:   rotate.Grace,
			check:   func(w *world) bool { return w.minted == 4 && w.current == "secret-0000" },
		},
		"started by somebody else just before our start": {
			prepare: func(w *world) { w.before["start 1"] = w.outsiderStarts },
			want:    rotate.ErrOtherRotation, state: rotate.Planned,
			check: func(w *world) bool { return w.cancels == 0 && w.next == "secret-0001" },
		},
		"started by somebody else long ago": {
			prepare: func(w *world) { w.outsiderStarts() },
			want:    rotate.ErrOtherRotation,
			check:   func(w *world) bool { return w.cancels == 0 && w.count("start") == 0 },
		},
		"taken over": {
			prepare: func(w *world) { w.outsiderStarts() },
			options: []rotate.Option{rotate.WithTakeOver()},
			state:   rotate.Completed,
			check:   func(w *world) bool { return w.cancels == 1 && w.current == "secret-0002" },
		},
		"the secret that is said to be in use is the pending one": {
			prepare: func(w *world) {
				w.outsiderStarts()
				w.sinks["a"] = rotate.Delivery{Secret: secret.New(w.next), Previous: secret.New(w.current)}
			},
			options: []rotate.Option{rotate.WithTakeOver()},
			want:    rotate.ErrOtherRotation,
			check:   func(w *world) bool { return w.cancels == 0 && w.next != "" },
		},
		"the current secret is refused": {
			prepare: func(w *world) { w.current = "secret-9999" },
			want:    rotate.ErrCurrentRefused,
			check:   func(w *world) bool { return w.count("start") == 0 },
		},
		"the answer to start is lost, and the current secret is refused": {
			prepare: func(w *world) {
				w.fates = make([]fate, 7) // claim, read, pending, check, probe, write, start
				w.fates[6] = crashAfter
				_ = w.rotator().Run(context.Background(), "client")
				w.current = "secret-9999"
			},
			want: rotate.ErrCurrentRefused, state: rotate.NeedsHuman,
			check: func(w *world) bool { return w.cancels == 0 },
		},
		"nobody knows the current secret": {
			prepare: func(w *world) { w.sinks["a"] = rotate.Delivery{} },
			want:    rotate.ErrCurrentUnknown,
			check:   func(w *world) bool { return w.count("start") == 0 && w.count("check") == 0 && w.next == "" },
		},
		"nobody knows the current secret, which is permitted": {
			prepare: func(w *world) { w.sinks["a"] = rotate.Delivery{} },
			options: []rotate.Option{rotate.WithUnknownCurrent()},
			state:   rotate.Completed,
			check:   func(w *world) bool { return w.current == "secret-0001" },
		},
		"nobody knows the current secret, and the answer to start is lost": {
			prepare: func(w *world) {
				w.sinks["a"] = rotate.Delivery{}
				w.before["start 1"] = func() { w.fates = []fate{lostAfter} }
			},
			options: []rotate.Option{rotate.WithUnknownCurrent()},
			want:    rotate.ErrCurrentUnknown, state: rotate.NeedsHuman,
			check: func(w *world) bool { return w.cancels == 0 && w.next != "" },
		},
		"nobody knows the current secret, and somebody else cancels just before the completion": {
			prepare: func(w *world) {
				w.sinks["a"] = rotate.Delivery{}
				w.before["write completing 1"] = w.outsiderCancels
			},
			options: []rotate.Option{rotate.WithUnknownCurrent()},
			want:    rotate.ErrCurrentUnknown, state: rotate.NeedsHuman,
			check: func(w *world) bool { return w.completes == 0 && w.current == "secret-0000" },
		},
		"the same at a server that does not tell how the current secret ends": {
			prepare: func(w *world) {
				w.sinks["a"], w.mute = rotate.Delivery{}, true
				w.before["write completing 1"] = w.outsiderCancels
			},
			options: []rotate.Option{rotate.WithUnknownCurrent()},
			want:    rotate.ErrCurrentUnknown, state: rotate.NeedsHuman,
			check: func(w *world) bool { return w.completes == 0 && w.current == "secret-0000" },
		},
		"a server that does not tell how the current secret ends": {
			prepare: func(w *world) { w.mute = true },
			state:   rotate.Completed,
			check:   func(w *world) bool { return w.completes == 1 },
		},
		"start always loses its answer": {
			prepare: func(w *world) {
				for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
					w.before["start "+n] = func() { w.fates = []fate{lostAfter} }
				}
			},
			want: errLost, state: rotate.Starting,
			check: func(w *world) bool { return w.current == "secret-0000" && w.count("start") == 4 && w.cancels == 3 },
		},
		"both secrets are refused": {
			prepare: func(w *world) {
				w.before["write completing 1"] = func() { w.current, w.next = "secret-9999", "" }
			},
			want: rotate.ErrNoWorkingSecret, state: rotate.NeedsHuman,
			check: func(w *world) bool {
				return w.record.Current.Reveal() == "secret-0000" && w.record.Next.Reveal() == "secret-0001"
			},
		},
		"the journal cannot store the next secret": {
			prepare: func(w *world) {
				w.before["write started 1"] = func() { w.fates = []fate{refusedCall, refusedCall, refusedCall} }
			},
			want: rotate.ErrJournal, state: rotate.Starting,
			check: func(w *world) bool { return w.cancels == 1 && w.next == "" && w.count("deliver") == 0 },
		},
		"the journal hiccups when it stores the next secret": {
			prepare: func(w *world) { w.before["write started 1"] = func() { w.fates = []fate{refusedCall, refusedCall} } },
			state:   rotate.Completed,
			check:   func(w *world) bool { return w.cancels == 0 && w.minted == 1 },
		},
	} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a")
			w.outsider, w.before = true, map[string]func(){}
			test.prepare(w)
			clear(w.proved)
			err := w.rotator(test.options...).Run(t.Context(), "client")
			if !errors.Is(err, test.want) {
				t.Fatalf("Run: %v, want %v", err, test.want)
			}
			if err != nil {
				w.named(err)
			}
			if w.record.State != test.state {
				t.Errorf("the journal has %q, want %q", w.record.State, test.state)
			}
			if !test.check(w) {
				t.Errorf("not as it should be after %s", strings.Join(w.log, " "))
			}
			for _, wrong := range w.wrongs {
				t.Error(wrong)
			}
		}))
	}
}

// errLost is what the world says of a call whose answer was lost.
var errLost = &fault{text: "start lost", unknown: true}

func (f *fault) Is(target error) bool {
	other, ok := target.(*fault)
	return ok && other.text == f.text
}

// TestMended shows that a rotation which needed a human goes on by itself once one was there.
func TestMended(t *testing.T) { synctest.Test(t, testMended) }

func testMended(t *testing.T) {
	w := newWorld("a")
	w.outsider = true
	w.before = map[string]func(){"write completing 1": func() { w.current, w.next = "secret-9999", "" }}
	r := w.rotator()
	if err := r.Run(t.Context(), "client"); !errors.Is(err, rotate.ErrNoWorkingSecret) {
		t.Fatal(err)
	}
	s, err := r.Status(t.Context(), "client")
	if err != nil || s.State != rotate.NeedsHuman || s.Stopped != rotate.Completing || s.Reason == "" {
		t.Fatalf("%+v, %v", s, err)
	}
	w.sinks["a"] = rotate.Delivery{ClientID: "client", Secret: secret.New("secret-9999")} // what the human found out
	if err := r.Resume(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	if w.record.State != rotate.Completed || w.sinks["a"].Secret.Reveal() != w.current {
		t.Error("it did not end well")
	}
}

// liar claims to hold one secret, and holds another.
type liar struct {
	worldSink
	lies int
}

func (l *liar) Deliver(ctx context.Context, d rotate.Delivery) error {
	if l.lies > 0 && !d.Previous.IsZero() {
		l.lies--
		return nil
	}
	return l.worldSink.Deliver(ctx, d)
}

func TestLyingDeliverer(t *testing.T) { synctest.Test(t, testLyingDeliverer) }

func testLyingDeliverer(t *testing.T) {
	w := newWorld("a", "b")
	a := &liar{worldSink{w, "a"}, 1}
	r, err := rotate.New(w, rotate.Deliverers{"a": a, "b": worldSink{w, "b"}}, w)
	if err != nil {
		t.Fatal(err)
	}
	err = r.Run(t.Context(), "client")
	var e *rotate.Error
	if !errors.As(err, &e) || !errors.Is(err, rotate.ErrDelivery) || e.Working.Next != rotate.Accepted || e.Stage != rotate.Started {
		t.Fatal(err)
	}
	if w.completes+w.cancels > 0 || !slices.Equal(w.record.Delivered, []string{"b"}) {
		t.Errorf("the journal says that %v have it", w.record.Delivered)
	}
	delivered := w.count("deliver")
	if err := r.Resume(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	if n := w.count("deliver") - delivered; n != 3 { // once more to a, and without the previous secret to both
		t.Errorf("%d deliveries, want 3: what b has is not delivered again", n)
	}
}

// TestHangingDeliverer ignores its context. The engine does not wait for it.
func TestHangingDeliverer(t *testing.T) { synctest.Test(t, testHangingDeliverer) }

func testHangingDeliverer(t *testing.T) {
	w := newWorld("a")
	hang := make(chan struct{})
	defer close(hang)
	stuck := rotate.DelivererFunc(func(context.Context, rotate.Delivery) error { <-hang; return nil })
	current := rotate.WithCurrent(func(context.Context, string) (secret.String, error) { return secret.New(w.current), nil })
	r, err := rotate.New(w, stuck, w, current, rotate.WithDeliveryTimeout(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	err = r.Run(t.Context(), "client")
	if !errors.Is(err, rotate.ErrDelivery) || !errors.Is(err, context.DeadlineExceeded) || w.record.State != rotate.Started {
		t.Errorf("%v in %s", err, w.record.State)
	}
}

// TestCancelUnlessReady gives up a rotation whose services cannot be asked, if that was asked for.
// What the server does wrong is no reason to.
func TestCancelUnlessReady(t *testing.T) {
	for name, test := range map[string]struct {
		options []rotate.Option
		ready   error // of the caller's function
		fates   []fate
		state   rotate.State
	}{
		"it fails":             {[]rotate.Option{rotate.WithCancelOnFailure()}, errors.New("no route to host"), nil, rotate.Canceled},
		"it fails, by default": {nil, errors.New("no route to host"), nil, rotate.Grace},
		"the server refuses":   {[]rotate.Option{rotate.WithCancelOnFailure()}, nil, []fate{refusedCall}, rotate.Completing},
	} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a")
			w.before = map[string]func(){"complete 1": func() { w.fates = test.fates }}
			ready := rotate.WithReady(func(context.Context, string) (bool, error) { return true, test.ready }, time.Second)
			err := w.rotator(append(test.options, ready)...).Run(t.Context(), "client")
			if err == nil || errors.Is(err, rotate.ErrCanceled) != (test.state == rotate.Canceled) || w.record.State != test.state {
				t.Errorf("it ended in %q: %v", w.record.State, err)
			}
		}))
	}
}

// TestCancelOnFailure gives up a rotation whose deliverer refuses, after the others got the current
// secret back.
func TestCancelOnFailure(t *testing.T) {
	for name, stop := range map[string]bool{"a deliverer fails": false, "the caller gives up": true} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a")
			ctx, cancel := context.WithCancel(t.Context())
			bad := rotate.DelivererFunc(func(_ context.Context, d rotate.Delivery) error {
				switch {
				case d.Previous.IsZero():
					return nil
				case stop:
					cancel()
					return nil
				}
				return errors.New("no room for " + d.Secret.Reveal())
			})
			var events []rotate.Event
			r, err := rotate.New(w, rotate.Deliverers{"a": worldSink{w, "a"}, "b": bad}, w, rotate.WithCancelOnFailure(),
				rotate.WithObserver(func(_ context.Context, e rotate.Event) { events = append(events, e) }))
			if err != nil {
				t.Fatal(err)
			}
			err = r.Run(ctx, "client")
			var e *rotate.Error
			if !errors.As(err, &e) || !errors.Is(err, rotate.ErrCanceled) || e.Stage != rotate.Canceled || e.Working != (rotate.Working{Current: rotate.Accepted, Next: rotate.Refused}) {
				t.Fatal(err)
			}
			if stop != errors.Is(err, context.Canceled) || stop == errors.Is(err, rotate.ErrDelivery) {
				t.Errorf("the cause is not there: %v", err)
			}
			if strings.Contains(err.Error(), "secret-0001") {
				t.Error("the error quotes the secret")
			}
			if w.next != "" || w.record.State != rotate.Canceled || w.sinks["a"].Secret.Reveal() != w.current || !w.sinks["a"].Previous.IsZero() {
				t.Error("it was not taken back")
			}
			if last := events[len(events)-1]; last.To != rotate.Canceled || last.Err == nil || last.RotationID == "" {
				t.Errorf("the last event is %+v", last)
			}
			if reverted, canceled := slices.Index(w.log, "write canceled"), slices.Index(w.log, "cancel"); reverted < canceled || w.count("deliver") < 2 {
				t.Error("in the wrong order")
			}
		}))
	}
}

// TestCancelSurvivesACrash continues a cancellation, not the rotation.
func TestCancelSurvivesACrash(t *testing.T) { synctest.Test(t, testCancelSurvivesACrash) }

func testCancelSurvivesACrash(t *testing.T) {
	for crash := range 12 {
		w := newWorld("a")
		r := w.rotator(rotate.WithGrace(time.Hour))
		if err := r.Plan(t.Context(), "client"); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if _, err := r.Step(t.Context(), "client"); err != nil {
				t.Fatal(err)
			}
		}
		w.fates = append(make([]fate, crash), crashAfter)
		err := w.rotator().Cancel(t.Context(), "client")
		dead := w.dead
		w.fates = nil
		if dead && w.record.Abort {
			err = w.rotator().Resume(t.Context(), "client")
			if !errors.Is(err, rotate.ErrCanceled) && !errors.Is(err, rotate.ErrNoRotation) {
				t.Fatalf("crash %d: %v", crash, err)
			}
		} else if !dead && err != nil {
			t.Fatalf("crash %d: %v", crash, err)
		}
		if (!dead || w.record.Abort) && (w.record.State != rotate.Canceled || w.completes > 0 || w.next != "") {
			t.Errorf("crash %d: %s", crash, w.record.State)
		}
	}
}

// TestIgnoredCancel is a server that says yes and does nothing.
func TestIgnoredCancel(t *testing.T) { synctest.Test(t, testIgnoredCancel) }

func testIgnoredCancel(t *testing.T) {
	w := newWorld("a")
	r := w.rotator(rotate.WithGrace(time.Hour))
	if err := r.Plan(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := r.Step(t.Context(), "client"); err != nil {
			t.Fatal(err)
		}
	}
	w.deaf = true
	err := r.Cancel(t.Context(), "client")
	if !errors.Is(err, rotate.ErrInconsistent) || w.record.State.Final() {
		t.Errorf("%v in %s", err, w.record.State)
	}
}
