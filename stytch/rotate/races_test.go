package rotate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestUnsentStart never asked for a secret, so one that is pending afterwards is another process's.
func TestUnsentStart(t *testing.T) {
	t.Run("somebody was faster", bubble(func(t *testing.T) {
		w := newWorld("a")
		w.outsider = true
		held := limiterFunc(func() {
			if w.record.State == rotate.Starting && w.next == "" {
				time.Sleep(2 * time.Minute)
				w.outsiderStarts()
			}
		})
		err := w.rotator(rotate.WithLimiter(held)).Run(t.Context(), "client")
		if !errors.Is(err, rotate.ErrOtherRotation) || w.cancels > 0 || w.record.State != rotate.Planned {
			t.Errorf("%v, %d cancellations, in %s", err, w.cancels, w.record.State)
		}
	}))
	t.Run("the caller gave up", bubble(func(t *testing.T) {
		w := newWorld("a")
		w.outsider = true
		ctx, cancel := context.WithCancel(t.Context())
		held := limiterFunc(func() {
			if w.record.State == rotate.Starting {
				cancel()
			}
		})
		if err := w.rotator(rotate.WithLimiter(held)).Run(ctx, "client"); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		w.outsiderStarts()
		if err := w.rotator().Run(t.Context(), "client"); !errors.Is(err, rotate.ErrOtherRotation) || w.cancels > 0 {
			t.Errorf("%v, %d cancellations", err, w.cancels)
		}
	}))
}

// TestLateStart has a start take effect after its answer was given up, just before the next one
// arrives.
func TestLateStart(t *testing.T) { synctest.Test(t, testLateStart) }

func testLateStart(t *testing.T) {
	w := newWorld("a")
	w.before = map[string]func(){
		"start 1": func() { w.fates = []fate{lostBefore} },
		"start 2": w.outsiderStarts, // which is ours
	}
	if err := w.rotator().Run(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	if w.cancels != 1 || w.current != "secret-0002" {
		t.Errorf("%d cancellations", w.cancels)
	}
	w.usable(t)
}

// TestLaggingServer sees its own next secret late, in the look and in the proof.
func TestLaggingServer(t *testing.T) { synctest.Test(t, testLaggingServer) }

func testLaggingServer(t *testing.T) {
	for _, verb := range []string{"Run", "Cancel"} {
		w := newWorld("a")
		w.outsider = true
		s := &staleTarget{world: w}
		lag := false
		r, err := rotate.New(s, worldSink{w, "a"}, w, rotate.WithProber(rotate.ProberFunc(func(ctx context.Context, id string, v secret.String) (bool, error) {
			accepted, err := w.Probe(ctx, id, v)
			if lag && v.Reveal() == w.next {
				lag, s.stale = false, false
				return false, err
			}
			return accepted, err
		})))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Plan(t.Context(), "client"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Step(t.Context(), "client"); err != nil {
			t.Fatal(err)
		}
		lag, s.stale = true, true
		if verb == "Run" {
			err = r.Run(t.Context(), "client")
		} else {
			err = r.Cancel(t.Context(), "client")
		}
		if err != nil || w.minted != 1 || w.next != "" {
			t.Errorf("%s: %v, %d secrets, pending %v", verb, err, w.minted, w.next != "")
		}
		w.usable(t)
	}
}

// TestTakeOverOfOurOwn is a journal that was lost while the place held the pending secret, at
// servers that reveal more or less.
func TestTakeOverOfOurOwn(t *testing.T) { synctest.Test(t, testTakeOverOfOurOwn) }

func testTakeOverOfOurOwn(t *testing.T) {
	for _, mute := range []bool{false, true} {
		w := newWorld("a")
		w.mute, w.single = mute, true
		w.toGrace(t, w.rotator(rotate.WithGrace(time.Hour)))
		w.record = rotate.Record{}
		if err := w.rotator(rotate.WithTakeOver()).Run(t.Context(), "client"); !errors.Is(err, rotate.ErrOtherRotation) || w.cancels > 0 {
			t.Errorf("mute %v: %v, %d cancellations", mute, err, w.cancels)
		}
		w.usable(t)
	}
}

// TestDoubtsStartAnew looks into each contradiction twice, whatever came before.
func TestDoubtsStartAnew(t *testing.T) { synctest.Test(t, testDoubtsStartAnew) }

func testDoubtsStartAnew(t *testing.T) {
	w := newWorld("a")
	w.outsider, w.before = true, map[string]func(){"deliver 1": w.outsiderCancels}
	left := map[string]int{"secret-0001": 2, "secret-0002": 1}
	r, err := rotate.New(w, worldSink{w, "a"}, w, rotate.WithGrace(time.Minute), rotate.WithProber(rotate.ProberFunc(func(ctx context.Context, id string, s secret.String) (bool, error) {
		accepted, err := w.Probe(ctx, id, s)
		if left[s.Reveal()] > 0 {
			left[s.Reveal()]--
			return false, err
		}
		return accepted, err
	})))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context(), "client"); err != nil {
		t.Error(err)
	}
}

// TestPlacePutBack has an operator restore the file during the grace period. It is delivered to
// again before the completion.
func TestPlacePutBack(t *testing.T) { synctest.Test(t, testPlacePutBack) }

func testPlacePutBack(t *testing.T) {
	w := newWorld("a")
	w.outsider, w.single = true, true
	r := w.rotator(rotate.WithGrace(time.Hour))
	w.toGrace(t, r)
	w.sinks["a"] = rotate.Delivery{Secret: secret.New(w.current)}
	time.Sleep(2 * time.Hour)
	if err := w.rotator().Run(t.Context(), "client"); !errors.Is(err, rotate.ErrDelivery) || w.completes > 0 {
		t.Fatalf("%v, %d completions", err, w.completes)
	}
	if err := w.rotator().Run(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	w.usable(t)
}

// TestSlowPlaces keeps the claim while many places are read.
func TestSlowPlaces(t *testing.T) { synctest.Test(t, testSlowPlaces) }

func testSlowPlaces(t *testing.T) {
	names := strings.Split("abcdefghijkl", "")
	w := newWorld(names...)
	deliverers := rotate.Deliverers{}
	for _, name := range names {
		deliverers[name] = slowPlace{worldSink{w, name}}
	}
	r, err := rotate.New(w, deliverers, w)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	var last time.Time
	for _, at := range w.written {
		if gap := at.Sub(last); !last.IsZero() && gap > 4*time.Minute {
			t.Errorf("nothing was written for %v, and a claim lasts 4 min", gap)
		}
		last = at
	}
}

type slowPlace struct{ worldSink }

func (s slowPlace) Read(ctx context.Context, id string) (rotate.Delivery, error) {
	time.Sleep(50 * time.Second)
	return s.worldSink.Read(ctx, id)
}

// TestCurrentWithError keeps a secret out of the error that came with it.
func TestCurrentWithError(t *testing.T) { synctest.Test(t, testCurrentWithError) }

func testCurrentWithError(t *testing.T) {
	w := newWorld("a")
	err := w.rotator(rotate.WithCurrent(func(context.Context, string) (secret.String, error) {
		return secret.New(w.current), errors.New("bad checksum of " + w.current)
	})).Run(t.Context(), "client")
	if err == nil || strings.Contains(err.Error(), "secret-0000") {
		t.Error("it failed not at all, or quotes the secret")
	}
}

// TestCompletionOfAnother has another process cancel and restart in the instant before the
// completion, which then completes a secret of theirs that ends like ours. That is not taken for
// success: ours is refused, and the journal keeps what it has.
func TestCompletionOfAnother(t *testing.T) { synctest.Test(t, testCompletionOfAnother) }

func testCompletionOfAnother(t *testing.T) {
	for _, mute := range []bool{false, true} {
		w := newWorld("a")
		w.outsider, w.mute = true, mute
		w.before = map[string]func(){"complete 1": func() { w.next = "others-" + w.next[len("secret-"):] }}
		err := w.rotator().Run(t.Context(), "client")
		if !errors.Is(err, rotate.ErrNoWorkingSecret) || w.record.State != rotate.NeedsHuman || w.record.Current.IsZero() || w.record.Next.IsZero() {
			t.Errorf("mute %v: %v in %s", mute, err, w.record.State)
		}
		if w.completes != 1 || !w.sinks["a"].Secret.Equal(w.record.Next) || w.sinks["a"].Previous.IsZero() {
			t.Errorf("mute %v: the previous secret was taken away after %d completions", mute, w.completes)
		}
	}
}

// TestLateCompletion has the next secret refused for a moment after it became the current one.
func TestLateCompletion(t *testing.T) { synctest.Test(t, testLateCompletion) }

func testLateCompletion(t *testing.T) {
	w := newWorld("a")
	left := 2
	r, err := rotate.New(w, worldSink{w, "a"}, w, rotate.WithProber(rotate.ProberFunc(func(ctx context.Context, id string, s secret.String) (bool, error) {
		accepted, err := w.Probe(ctx, id, s)
		if w.completes > 0 && accepted && left > 0 {
			left--
			return false, err
		}
		return accepted, err
	})))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context(), "client"); err != nil || left > 0 || w.completes != 1 {
		t.Errorf("%v, %d completions", err, w.completes)
	}
}

// TestProofsAfterSurprise has another process complete a secret of its own that ends like ours: the
// proof of ours, which is a moment old, counts no more.
func TestProofsAfterSurprise(t *testing.T) { synctest.Test(t, proofsAfterSurprise) }

func proofsAfterSurprise(t *testing.T) {
	w := newWorld("a")
	w.outsider, w.before = true, map[string]func(){}
	w.before["write completing 1"] = func() { w.current, w.next = "others-"+w.next[len("secret-"):], "" }
	err := w.rotator().Run(t.Context(), "client")
	if !errors.Is(err, rotate.ErrNoWorkingSecret) || w.record.State != rotate.NeedsHuman || w.record.Current.IsZero() || w.record.Next.IsZero() {
		t.Errorf("%v in %s", err, w.record.State)
	}
}
