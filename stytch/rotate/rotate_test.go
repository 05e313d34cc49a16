package rotate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

func TestNew(t *testing.T) {
	w := newWorld("a")
	sink := worldSink{w, "a"}
	target := struct{ rotate.Target }{w} // without a proof of its own
	for name, build := range map[string]func() (*rotate.Rotator, error){
		"target":          func() (*rotate.Rotator, error) { return rotate.New(nil, sink, w) },
		"journal":         func() (*rotate.Rotator, error) { return rotate.New(w, sink, nil) },
		"deliverers":      func() (*rotate.Rotator, error) { return rotate.New(w, rotate.Deliverers{}, w) },
		`deliverer "x"`:   func() (*rotate.Rotator, error) { return rotate.New(w, rotate.Deliverers{"x": nil}, w) },
		"option":          func() (*rotate.Rotator, error) { return rotate.New(w, sink, w, nil) },
		"WithProber":      func() (*rotate.Rotator, error) { return rotate.New(target, sink, w) },
		"WithProber: ":    func() (*rotate.Rotator, error) { return rotate.New(w, sink, w, rotate.WithProber(nil)) },
		"WithCurrent":     func() (*rotate.Rotator, error) { return rotate.New(w, sink, w, rotate.WithCurrent(nil)) },
		"WithGrace":       func() (*rotate.Rotator, error) { return rotate.New(w, sink, w, rotate.WithGrace(-1)) },
		"WithReady":       func() (*rotate.Rotator, error) { return rotate.New(w, sink, w, rotate.WithReady(nil, time.Second)) },
		"WithCallTimeout": func() (*rotate.Rotator, error) { return rotate.New(w, sink, w, rotate.WithCallTimeout(0)) },
		"WithClock":       func() (*rotate.Rotator, error) { return rotate.New(w, sink, w, rotate.WithClock(nil)) },
		"WithLimiter":     func() (*rotate.Rotator, error) { return rotate.New(w, sink, w, rotate.WithLimiter(nil)) },
		"WithObserver":    func() (*rotate.Rotator, error) { return rotate.New(w, sink, w, rotate.WithObserver(nil)) },
	} {
		if r, err := build(); r != nil || !errors.Is(err, rotate.ErrInvalidArgument) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(w.log) > 0 {
		t.Errorf("New called %v", w.log)
	}
	if err := w.rotator().Run(t.Context(), ""); !errors.Is(err, rotate.ErrInvalidArgument) {
		t.Errorf("an empty client id: %v", err)
	}
}

// TestStep drives a rotation as a scheduler would: one transition at a time, each in a process of
// its own.
func TestStep(t *testing.T) { synctest.Test(t, testStep) }

func testStep(t *testing.T) {
	w := newWorld("a")
	if _, err := w.rotator().Step(t.Context(), "client"); !errors.Is(err, rotate.ErrNoRotation) {
		t.Fatalf("Step before Plan: %v", err)
	}
	if _, err := w.rotator().Status(t.Context(), "client"); !errors.Is(err, rotate.ErrNoRotation) {
		t.Fatalf("Status before Plan: %v", err)
	}
	if err := w.rotator().Plan(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	var states []string
	for range 20 {
		s, err := w.rotator(rotate.WithGrace(time.Minute)).Step(t.Context(), "client")
		if err != nil {
			t.Fatal(err)
		}
		if now, err := w.rotator().Status(t.Context(), "client"); err != nil || now.State != s.State || now.RotationID != s.RotationID {
			t.Fatalf("Status is %+v, %v; Step said %+v", now, err, s)
		}
		states = append(states, string(s.State))
		time.Sleep(s.Wait)
	}
	got := strings.Join(states, " ")
	const want = "started delivered verified grace grace completing completed completed"
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s", got)
	}
	if w.completes != 1 {
		t.Errorf("%d completions", w.completes)
	}
	// A second plan leaves a rotation that is in progress alone, and begins another one after its
	// end.
	first := w.record.RotationID
	for range 2 {
		if err := w.rotator().Plan(t.Context(), "client"); err != nil {
			t.Fatal(err)
		}
		if w.record.State != rotate.Planned || w.record.RotationID == first {
			t.Fatal("nothing was planned")
		}
	}
}

// TestForecast compares a dry run with what then happens, from every state.
func TestForecast(t *testing.T) { synctest.Test(t, testForecast) }

func testForecast(t *testing.T) {
	for _, grace := range []time.Duration{0, time.Minute} {
		for steps := range 6 {
			w := newWorld("a")
			options := []rotate.Option{rotate.WithGrace(grace)}
			if err := w.rotator().Plan(t.Context(), "client"); err != nil {
				t.Fatal(err)
			}
			for range steps {
				if _, err := w.rotator(options...).Step(t.Context(), "client"); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(2 * time.Minute)
			f, err := w.rotator(options...).Forecast(t.Context(), "client")
			if err != nil {
				t.Fatal(err)
			}
			w.log = nil
			if err := w.rotator(options...).Run(t.Context(), "client"); err != nil {
				t.Fatal(err)
			}
			calls := w.count("pending") + w.count("start") + w.count("probe") + w.count("complete") + w.count("cancel")
			if f.Clients != 1 || f.Calls != calls || f.BilledTokens != w.count("probe") {
				t.Errorf("grace %v, from step %d: %+v, and there were %d calls with %d tokens: %v", grace, steps, f, calls, w.count("probe"), w.log)
			}
		}
	}
	w := newWorld("a")
	w.outsiderStarts()
	if _, err := w.rotator().Forecast(t.Context(), "client"); !errors.Is(err, rotate.ErrOtherRotation) {
		t.Errorf("somebody else's rotation: %v", err)
	}
}

func TestByLastFour(t *testing.T) { synctest.Test(t, testByLastFour) }

func testByLastFour(t *testing.T) {
	w := newWorld("a")
	w.outsiderStarts()
	p := rotate.ByLastFour(w)
	for value, want := range map[string]bool{w.current: true, w.next: true, "secret-9999": false, "": false} {
		if got, err := p.Probe(t.Context(), "client", secret.New(value)); got != want || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	}
	w.fates = []fate{refusedCall}
	if got, err := p.Probe(t.Context(), "client", secret.New(w.current)); got || err == nil {
		t.Error("it proved something without an answer")
	}
}

func ExampleError() {
	err := error(&rotate.Error{
		ClientID: "m2m-client-test-1", Stage: rotate.Started,
		Working: rotate.Working{Current: rotate.Accepted, Next: rotate.Accepted},
		Err:     fmt.Errorf("%w: vault: 503 sealed", rotate.ErrDelivery),
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, rotate.ErrDelivery))
	// Output:
	// rotate: client "m2m-client-test-1": started: delivery failed: vault: 503 sealed; the current and the next secret work; run again to continue from here
	// true
}

// TestAdvice reads what a person would, for each kind of error.
func TestAdvice(t *testing.T) {
	for _, test := range []struct {
		err   error
		stage rotate.State
		want  string
	}{
		{rotate.ErrBusy, "", "wait until"},
		{rotate.ErrCorrupt, "", "restore"},
		{rotate.ErrNewerVersion, "", "version"},
		{rotate.ErrOtherRotation, rotate.Completing, "WithTakeOver"},
		{rotate.ErrCurrentRefused, rotate.NeedsHuman, "active"},
		{rotate.ErrCurrentUnknown, rotate.NeedsHuman, "WithCurrent"},
		{rotate.ErrNoWorkingSecret, rotate.NeedsHuman, "kept in the journal"},
		{rotate.ErrCanceled, rotate.Canceled, "stays in use"},
		{errors.New("x"), rotate.Planned, "nothing was begun"},
		{context.Canceled, rotate.Grace, "run again to continue"},
	} {
		e := &rotate.Error{ClientID: "c", Stage: test.stage, Err: test.err}
		if !strings.Contains(e.Advice(), test.want) || !strings.HasSuffix(e.Error(), e.Advice()) {
			t.Errorf("%v in %s: %s", test.err, test.stage, e)
		}
	}
	for w, want := range map[rotate.Working]string{
		{}: "no secret was proved",
		{Current: rotate.Accepted, Next: rotate.Accepted}: "the current and the next secret work",
		{Current: rotate.Refused, Next: rotate.Refused}:   "neither",
		{Current: rotate.Accepted}:                        "the current secret works, the next one is unproved",
	} {
		if !strings.Contains(w.String(), want) {
			t.Errorf("%s", w)
		}
	}
}
