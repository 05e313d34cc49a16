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

// toGrace rotates as far as the grace period, which is an hour.
func (w *world) toGrace(t *testing.T, r *rotate.Rotator) {
	t.Helper()
	if err := r.Plan(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		s, err := r.Step(t.Context(), "client")
		if err != nil {
			t.Fatal(err)
		}
		if s.State == rotate.Grace {
			return
		}
	}
	t.Fatalf("stuck in %s", w.record.State)
}

// usable fails if a program that goes by the place, or by the journal, has no secret that works.
func (w *world) usable(t *testing.T) {
	t.Helper()
	for name, held := range w.sinks {
		if !w.accepts(held.Secret) {
			t.Errorf("%s holds a secret that is refused; the calls were %s", name, strings.Join(w.log, " "))
		}
	}
}

// TestCancelHazards lets the world change while a rotation is given up, which takes as long as the
// deliverers do.
func TestCancelHazards(t *testing.T) {
	for name, prepare := range map[string]func(w *world){
		"completed meanwhile, and cancel does nothing while idle": func(w *world) {
			w.ignoreWhileIdle = true
			w.before["deliver 2"] = w.outsiderCompletes
		},
		"completed and restarted meanwhile": func(w *world) {
			w.before["deliver 2"] = func() { w.outsiderCompletes(); w.outsiderStarts() }
		},
		"completed and restarted just before the cancellation": func(w *world) {
			w.before["cancel 1"] = func() { w.outsiderCompletes(); w.outsiderStarts() }
		},
		"canceled meanwhile": func(w *world) { w.before["deliver 2"] = w.outsiderCancels },
	} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a")
			w.outsider, w.single, w.before = true, true, map[string]func(){}
			w.toGrace(t, w.rotator(rotate.WithGrace(time.Hour)))
			prepare(w)
			err := w.rotator().Cancel(t.Context(), "client")
			if err != nil && !errors.Is(err, rotate.ErrNoRotation) {
				t.Fatal(err)
			}
			if completed := w.record.State == rotate.Completed; completed != (err != nil) || !w.record.State.Final() {
				t.Errorf("%v in %s", err, w.record.State)
			}
			w.usable(t)
		}))
	}
}

// TestCancelAfterRestart gives the current secret back although the next one is gone already.
func TestCancelAfterRestart(t *testing.T) { synctest.Test(t, testCancelAfterRestart) }

func testCancelAfterRestart(t *testing.T) {
	w := newWorld("a")
	w.outsider, w.single, w.before = true, true, map[string]func(){}
	w.toGrace(t, w.rotator(rotate.WithGrace(time.Hour)))
	w.outsiderCancels()
	time.Sleep(2 * time.Hour)
	w.before["start 2"] = func() { w.fates = []fate{refusedCall} }
	err := w.rotator().Run(t.Context(), "client")
	if w.record.State != rotate.Planned || strings.Contains(err.Error(), "nothing was begun") {
		t.Fatal(err)
	}
	if err := w.rotator().Cancel(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	w.usable(t)
}

// TestLateLimiter has the limiter hold a completion back while another process rotates: what was
// seen before counts no more.
func TestLateLimiter(t *testing.T) { synctest.Test(t, testLateLimiter) }

func testLateLimiter(t *testing.T) {
	w := newWorld("a")
	w.outsider = true
	held := limiterFunc(func() {
		if w.record.State == rotate.Completing && w.count("pending") == 2 {
			time.Sleep(2 * time.Minute)
			w.outsiderCancels()
			w.outsiderStarts()
		}
	})
	err := w.rotator(rotate.WithLimiter(held)).Run(t.Context(), "client")
	if !errors.Is(err, rotate.ErrOtherRotation) || w.completes > 0 {
		t.Errorf("%v, %d completions", err, w.completes)
	}
}

// TestSlowWorld rotates where every answer takes longer than what is known stays fresh.
func TestSlowWorld(t *testing.T) { synctest.Test(t, testSlowWorld) }

func testSlowWorld(t *testing.T) {
	for name, options := range map[string][]rotate.Option{"server": nil, "limiter": {}} {
		w := newWorld("a")
		if name == "server" {
			w.latency = 6 * time.Second
		} else {
			options = append(options, rotate.WithLimiter(limiterFunc(func() { time.Sleep(6 * time.Second) })))
		}
		if err := w.rotator(options...).Run(t.Context(), "client"); err != nil {
			t.Fatal(err)
		}
		if n := w.count("probe"); n > 6 || len(w.log) > 30 {
			t.Errorf("%s: %d tokens in %d calls", name, n, len(w.log))
		}
	}
}

type limiterFunc func()

func (f limiterFunc) Wait(ctx context.Context) error { f(); return ctx.Err() }
func (limiterFunc) Throttle(time.Duration)           {}

// TestNewDeliverer changes the deliverers while a rotation is in progress. None is passed over.
func TestNewDeliverer(t *testing.T) {
	for _, state := range []string{"grace", "partial"} {
		t.Run(state, bubble(func(t *testing.T) {
			w := newWorld("a")
			var told []string
			b := rotate.DelivererFunc(func(_ context.Context, d rotate.Delivery) error {
				told = append(told, d.Secret.Reveal())
				if w.completes > 0 && len(told) == 1 {
					t.Error("completed before it was told")
				}
				return nil
			})
			if state == "grace" {
				w.toGrace(t, w.rotator(rotate.WithGrace(time.Hour)))
			} else {
				broken := rotate.DelivererFunc(func(context.Context, rotate.Delivery) error { return errors.New("down") })
				r, err := rotate.New(w, rotate.Deliverers{"a": worldSink{w, "a"}, "gone": worldSink{w, "a"}, "z": broken}, w)
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Run(t.Context(), "client"); !errors.Is(err, rotate.ErrDelivery) || !slices.Equal(w.record.Delivered, []string{"a", "gone"}) {
					t.Fatal(err, w.record.Delivered)
				}
			}
			time.Sleep(2 * time.Hour)
			r, err := rotate.New(w, rotate.Deliverers{"a": worldSink{w, "a"}, "b": b}, w)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Run(t.Context(), "client"); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(told, []string{"secret-0001", "secret-0001"}) {
				t.Errorf("%d deliveries", len(told))
			}
		}))
	}
}

// TestCancelWithoutCurrent shows that an attempt to give up what cannot be given up does no harm:
// it can still be completed.
func TestCancelWithoutCurrent(t *testing.T) {
	for _, how := range []string{"CancelOnFailure", "Cancel"} {
		t.Run(how, bubble(func(t *testing.T) {
			w := newWorld("a")
			w.sinks["a"] = rotate.Delivery{}
			w.outsider, w.before = true, map[string]func(){}
			if how == "Cancel" {
				w.toGrace(t, w.rotator(rotate.WithGrace(time.Hour), rotate.WithUnknownCurrent()))
				if err := w.rotator().Cancel(t.Context(), "client"); !errors.Is(err, rotate.ErrCurrentUnknown) {
					t.Fatal(err)
				}
			} else {
				w.before["deliver 1"] = func() { w.fates = []fate{refusedCall} }
				if err := w.rotator(rotate.WithCancelOnFailure(), rotate.WithUnknownCurrent()).Run(t.Context(), "client"); !errors.Is(err, rotate.ErrDelivery) {
					t.Fatal(err)
				}
			}
			if w.record.Abort || w.record.State == rotate.NeedsHuman {
				t.Errorf("left in %s, abort %v", w.record.State, w.record.Abort)
			}
			w.sinks["a"] = rotate.Delivery{Secret: w.sinks["a"].Secret}
			if err := w.rotator().Run(t.Context(), "client"); err != nil {
				t.Fatal(err)
			}
			w.usable(t)
		}))
	}
}

// TestLyingGiveBack is a place that keeps the next secret although it was given the current one
// back.
func TestLyingGiveBack(t *testing.T) { synctest.Test(t, testLyingGiveBack) }

func testLyingGiveBack(t *testing.T) {
	w := newWorld("a")
	w.outsider = true
	w.toGrace(t, w.rotator(rotate.WithGrace(time.Hour)))
	r, err := rotate.New(w, &stubborn{worldSink{w, "a"}}, w)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Cancel(t.Context(), "client"); !errors.Is(err, rotate.ErrDelivery) || w.cancels > 0 {
		t.Errorf("%v, %d cancellations", err, w.cancels)
	}
	w.usable(t)
}

// stubborn says yes to what takes the next secret away, and keeps it.
type stubborn struct{ worldSink }

func (s *stubborn) Deliver(ctx context.Context, d rotate.Delivery) error {
	if d.Previous.IsZero() {
		return nil
	}
	return s.worldSink.Deliver(ctx, d)
}

// TestChattyErrors has everything that the caller provides quote secrets in its errors.
func TestChattyErrors(t *testing.T) {
	quote := func(w *world) error {
		return errors.New(w.record.Current.Reveal() + " " + w.record.Next.Reveal() + " " + w.sinks["a"].Secret.Reveal())
	}
	for name, run := range map[string]func(t *testing.T, w *world) error{
		"first read": func(t *testing.T, w *world) error {
			r, err := rotate.New(w, chattyReader{worldSink{w, "a"}, quote}, w)
			if err != nil {
				t.Fatal(err)
			}
			return r.Run(t.Context(), "client")
		},
		"ready, then given up": func(t *testing.T, w *world) error {
			return w.rotator(rotate.WithCancelOnFailure(), rotate.WithReady(func(context.Context, string) (bool, error) { return false, quote(w) }, time.Second)).Run(t.Context(), "client")
		},
		"prober": func(t *testing.T, w *world) error {
			n := 0
			return w.rotator(rotate.WithProber(rotate.ProberFunc(func(context.Context, string, secret.String) (bool, error) {
				if n++; n == 2 {
					return false, quote(w)
				}
				return true, nil
			}))).Run(t.Context(), "client")
		},
	} {
		t.Run(name, bubble(func(t *testing.T) {
			err := run(t, newWorld("a"))
			if err == nil || strings.Contains(err.Error(), "secret-0") || !strings.Contains(err.Error(), secret.Placeholder) {
				t.Error("it failed not at all, or quotes a secret")
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), "secret-0") {
					t.Error("a secret can be unwrapped")
				}
			}
		}))
	}
}

type chattyReader struct {
	worldSink
	quote func(*world) error
}

func (c chattyReader) Read(context.Context, string) (rotate.Delivery, error) {
	return c.w.sinks["a"], c.quote(c.w)
}

// TestLateAcceptance is a server that refuses the next secret for a moment after it gave it.
func TestLateAcceptance(t *testing.T) { synctest.Test(t, testLateAcceptance) }

func testLateAcceptance(t *testing.T) {
	for refusals, want := range map[int]error{1: nil, 2: nil, 9: rotate.ErrOtherRotation} {
		w := newWorld("a")
		left := refusals
		r, err := rotate.New(w, worldSink{w, "a"}, w, rotate.WithProber(rotate.ProberFunc(func(ctx context.Context, id string, s secret.String) (bool, error) {
			accepted, err := w.Probe(ctx, id, s)
			if s.Reveal() == w.next && left > 0 {
				left--
				return false, err
			}
			return accepted, err
		})))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Run(t.Context(), "client"); !errors.Is(err, want) || w.cancels > 0 {
			t.Errorf("%d refusals: %v", refusals, err)
		}
	}
}

// TestStaleRead is a server that says for a while that nothing is pending although something is.
func TestStaleRead(t *testing.T) { synctest.Test(t, testStaleRead) }

func testStaleRead(t *testing.T) {
	for _, known := range []bool{true, false} {
		w := newWorld("a")
		w.outsider = true
		if !known {
			w.sinks["a"] = rotate.Delivery{}
		}
		s := &staleTarget{world: w}
		r, err := rotate.New(s, worldSink{w, "a"}, w, rotate.WithUnknownCurrent())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Plan(t.Context(), "client"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Step(t.Context(), "client"); err != nil {
			t.Fatal(err)
		}
		s.stale = true
		if err := r.Run(t.Context(), "client"); !errors.Is(err, rotate.ErrInconsistent) || w.record.State != rotate.Started {
			t.Errorf("known %v: %v in %s", known, err, w.record.State)
		}
		s.stale = false
		if err := r.Run(t.Context(), "client"); err != nil || w.completes != 1 {
			t.Errorf("known %v: %v", known, err)
		}
	}
}

type staleTarget struct {
	*world
	stale bool
}

func (s *staleTarget) LastFour(ctx context.Context, id string) (secret.LastFour, error) {
	seen, err := s.world.LastFour(ctx, id)
	if s.stale {
		seen.Next = ""
	}
	return seen, err
}

// TestLongRetryAfter does not hold a claim for as long as a server may ask.
func TestLongRetryAfter(t *testing.T) { synctest.Test(t, testLongRetryAfter) }

func testLongRetryAfter(t *testing.T) {
	w := newWorld("a")
	r, err := rotate.New(dayTarget{w}, worldSink{w, "a"}, w)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := r.Run(t.Context(), "client"); err == nil || time.Since(began) > time.Minute || w.count("pending") > 1 {
		t.Errorf("%v after %v and %d looks", err, time.Since(began), w.count("pending"))
	}
}

type dayTarget struct{ *world }

func (d dayTarget) Start(context.Context, string) (secret.String, error) {
	return secret.String{}, dayFault{}
}

type dayFault struct{}

func (dayFault) Error() string                    { return "come back in ten days" }
func (dayFault) OutcomeUnknown() bool             { return false }
func (dayFault) Throttled() (time.Duration, bool) { return 240 * time.Hour, true }

// TestStages compares what errors say of the journal with the journal.
func TestStages(t *testing.T) { synctest.Test(t, testStages) }

func testStages(t *testing.T) {
	stage := func(err error) (s rotate.State, advice string) {
		var e *rotate.Error
		if !errors.As(err, &e) {
			t.Fatal(err)
		}
		return e.Stage, e.Advice()
	}
	w := newWorld("a")
	w.outsider = true
	w.toGrace(t, w.rotator(rotate.WithGrace(time.Hour)))
	w.fates = []fate{refusedCall} // of the claim
	if s, advice := stage(w.rotator().Run(t.Context(), "client")); s != "" || !strings.Contains(advice, "fix the journal") {
		t.Errorf("%q: %s", s, advice)
	}
	w.current, w.next = "secret-9999", ""
	time.Sleep(2 * time.Hour)
	_ = w.rotator().Run(t.Context(), "client")
	w.fates = []fate{well, refusedCall} // of the look
	status, err := w.rotator().Step(t.Context(), "client")
	if s, _ := stage(err); s != rotate.NeedsHuman || status.State != rotate.NeedsHuman || status.Reason == "" {
		t.Errorf("%s, %+v", s, status)
	}
	w.record.State = rotate.Completed
	if s, advice := stage(w.rotator().Cancel(t.Context(), "client")); s != rotate.Completed || !strings.Contains(advice, "call Run") {
		t.Errorf("%q: %s", s, advice)
	}
}

// TestRestartsAreForgotten counts per run how often another process interfered.
func TestRestartsAreForgotten(t *testing.T) { synctest.Test(t, testRestartsAreForgotten) }

func testRestartsAreForgotten(t *testing.T) {
	w := newWorld("a")
	w.outsider, w.before = true, map[string]func(){}
	for _, n := range []string{"1", "2", "3", "4"} {
		w.before["deliver "+n] = w.outsiderCancels
	}
	if err := w.rotator(rotate.WithGrace(time.Minute)).Run(t.Context(), "client"); !errors.Is(err, rotate.ErrOtherRotation) {
		t.Fatal(err)
	}
	if err := w.rotator(rotate.WithGrace(time.Minute)).Run(t.Context(), "client"); err != nil {
		t.Error(err)
	}
}

// TestSecondReader finds the current secret in the first place that holds one.
func TestSecondReader(t *testing.T) { synctest.Test(t, testSecondReader) }

func testSecondReader(t *testing.T) {
	w := newWorld("a", "b")
	w.outsider, w.before = true, map[string]func(){"start 1": func() { w.fates = []fate{lostAfter} }}
	w.sinks["a"] = rotate.Delivery{}
	if err := w.rotator().Run(t.Context(), "client"); err != nil || w.cancels != 1 {
		t.Errorf("%v, %d cancellations", err, w.cancels)
	}
}
