package rotate_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// sequences holds a property against random sequences, each in a bubble of its own. One bubble
// around them all would end after a virtual day, which is when rapid stops.
func sequences(t *testing.T, light, full int, property func(context.Context, *rapid.T)) {
	count := heavy.Count(light, full)
	if err := flag.Set("rapid.checks", fmt.Sprint(count)); err != nil {
		t.Fatal(err)
	}
	ran := 0
	rapid.Check(t, func(sequence *rapid.T) {
		var failed any // a check of rapid fails by a panic, which has to leave the goroutine of the bubble
		synctest.Test(t, func(t *testing.T) {
			defer func() { failed = recover() }()
			property(t.Context(), sequence)
		})
		if failed != nil {
			panic(failed)
		}
		ran++
	})
	if ran < count {
		t.Errorf("%d sequences of %d", ran, count)
	}
}

// TestModel drives the engine through random sequences of calls, faults and crashes against a
// server of each variant. The invariants are looked at around every single call; at the end, when
// nothing fails any more, one run finishes.
func TestModel(t *testing.T) {
	sequences(t, 300, 10_000, func(ctx context.Context, t *rapid.T) {
		w := newWorld([]string{"a", "b"}[:rapid.IntRange(1, 2).Draw(t, "deliverers")]...)
		w.replaceOnStart = rapid.Bool().Draw(t, "replace")
		w.ignoreWhileIdle = rapid.Bool().Draw(t, "ignore")
		w.mute = rapid.Bool().Draw(t, "mute")
		w.single = rapid.Bool().Draw(t, "single")
		w.latency = rapid.SampledFrom([]time.Duration{0, 0, 0, 6 * time.Second}).Draw(t, "latency")
		options := drawOptions(t)

		for range rapid.IntRange(1, 6).Draw(t, "actions") {
			w.fates = drawFates(t, fates)
			w.act(ctx, rapid.SampledFrom([]string{"run", "run", "resume", "step", "steps", "plan", "cancel", "stop"}).Draw(t, "action"), options)
			w.expect(t)
		}
		w.finish(ctx, t, options)
	})
}

func drawOptions(t *rapid.T) []rotate.Option {
	var options []rotate.Option
	if rapid.Bool().Draw(t, "grace") {
		options = append(options, rotate.WithGrace(time.Minute))
	}
	if rapid.Bool().Draw(t, "ready") {
		asked := 0
		options = append(options, rotate.WithReady(func(context.Context, string) (bool, error) {
			asked++
			return asked%3 == 0, nil
		}, time.Second))
	}
	if rapid.Bool().Draw(t, "cancelOnFailure") {
		options = append(options, rotate.WithCancelOnFailure())
	}
	if rapid.IntRange(0, 3).Draw(t, "compromised") == 0 {
		options = append(options, rotate.WithCompromised())
	}
	if rapid.Bool().Draw(t, "takeOver") {
		options = append(options, rotate.WithTakeOver())
	}
	if rapid.Bool().Draw(t, "unknown") {
		options = append(options, rotate.WithUnknownCurrent())
	}
	switch rapid.SampledFrom([]string{"none", "none", "empty", "stale"}).Draw(t, "caller") {
	case "empty":
		options = append(options, rotate.WithCurrent(func(context.Context, string) (s secret.String, err error) { return s, nil }))
	case "stale":
		options = append(options, rotate.WithCurrent(func(context.Context, string) (secret.String, error) { return secret.New("secret-old0"), nil }))
	}
	return options
}

// drawFates is mostly good: otherwise nothing but the first steps would ever be seen.
func drawFates(t *rapid.T, below fate) []fate {
	quiet := make([]fate, rapid.IntRange(0, 24).Draw(t, "quiet"))
	return append(quiet, rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fate {
		if rapid.IntRange(0, 3).Draw(t, "good") > 0 {
			return well
		}
		return fate(rapid.IntRange(0, int(below)-1).Draw(t, "fate"))
	}), 0, 12).Draw(t, "fates")...)
}

// act is what one process does until it ends or dies.
func (w *world) act(ctx context.Context, action string, options []rotate.Option) {
	r := w.rotator(options...)
	var err error
	switch action {
	case "run":
		err = r.Run(ctx, "client")
	case "stop": // the caller's context ends
		ended, cancel := context.WithCancel(ctx)
		stop := w.calls + 5
		_, err = r.Step(ended, "client")
		for err == nil && w.calls < stop {
			var s rotate.Status
			if s, err = r.Step(ended, "client"); s.State.Final() || s.Wait > 0 {
				break
			}
		}
		cancel()
		if err == nil {
			err = r.Run(ended, "client")
		}
	case "resume":
		err = r.Resume(ctx, "client")
	case "cancel":
		err = r.Cancel(ctx, "client")
	case "plan":
		err = r.Plan(ctx, "client")
	case "step":
		_, err = r.Step(ctx, "client")
	case "steps":
		for range 8 {
			var s rotate.Status
			if s, err = r.Step(ctx, "client"); err != nil || s.State.Final() {
				break
			}
			time.Sleep(s.Wait)
		}
	}
	if err != nil && !w.dead {
		w.named(err)
	}
}

func (w *world) expect(t *rapid.T) {
	synctest.Wait()
	for w.running.Load() > 0 { // the engine gave up on a call, which still has an effect
		time.Sleep(time.Second)
	}
	if !w.outsider && w.record.State == rotate.NeedsHuman {
		w.wrong("a human is needed: %s", w.record.Reason)
	}
	for _, wrong := range w.wrongs {
		t.Error(wrong)
	}
	if len(w.wrongs) > 0 {
		t.FailNow()
	}
}

// finish is I5: when nothing fails any more, one run ends a rotation that is in progress, and the
// next one is like the first.
func (w *world) finish(ctx context.Context, t *rapid.T, options []rotate.Option) {
	w.fates = nil
	for range 2 {
		completes, aborting := w.completes, w.record.Abort && w.active()
		err := w.rotator(options...).Run(ctx, "client")
		w.expect(t)
		if w.record.State == rotate.Starting && errors.Is(err, rotate.ErrOtherRotation) { // it took too long to come back: do as the error says
			err = w.rotator(append(options, rotate.WithTakeOver())...).Run(ctx, "client")
			w.expect(t)
		}
		switch {
		case aborting && w.record.State == rotate.Canceled || err == nil && w.record.State == rotate.Completed:
		default:
			t.Fatalf("the run ended in %s: %v", w.record.State, err)
		}
		if w.completes > completes+1 {
			t.Fatalf("%d completions", w.completes-completes)
		}
		if w.next != "" {
			t.Fatal("a next secret was left behind")
		}
		for name, held := range w.sinks {
			if held.Secret.Reveal() != w.current || !held.Previous.IsZero() {
				t.Fatalf("%s does not hold just the current secret", name)
			}
		}
		if !w.record.Current.IsZero() || !w.record.Next.IsZero() {
			t.Fatal("the journal holds a secret after the end")
		}
	}
}

// TestOutsider adds an operator who rotates the same client by hand. Then no client can promise
// that a secret survives, but nothing is canceled or completed on no grounds, every outcome has a
// name, and when both know the secret in use, a run with WithTakeOver ends.
func TestOutsider(t *testing.T) {
	sequences(t, 300, 5_000, func(ctx context.Context, t *rapid.T) {
		w := newWorld("a")
		w.outsider = true
		w.replaceOnStart = rapid.Bool().Draw(t, "replace")
		w.ignoreWhileIdle = rapid.Bool().Draw(t, "ignore")
		options := drawOptions(t)
		for range rapid.IntRange(1, 8).Draw(t, "actions") {
			switch action := rapid.SampledFrom([]string{"run", "step", "steps", "cancel", "start", "complete", "canceled"}).Draw(t, "action"); action {
			case "start":
				if w.next == "" || w.replaceOnStart {
					w.outsiderStarts()
				}
			case "complete":
				w.outsiderCompletes()
			case "canceled":
				w.outsiderCancels()
			default:
				w.fates = drawFates(t, allFates)
				w.act(ctx, action, options)
				w.expect(t)
			}
		}
		w.fates = nil
		current := rotate.WithCurrent(func(context.Context, string) (secret.String, error) { return secret.New(w.current), nil })
		err := w.rotator(append(options, rotate.WithTakeOver(), current)...).Run(ctx, "client")
		if err != nil {
			w.named(err)
		}
		w.expect(t)
		if w.active() && w.record.State != rotate.NeedsHuman && w.next == "" {
			t.Fatalf("left in %s although nobody else is rotating: %v", w.record.State, err)
		}
	})
}
