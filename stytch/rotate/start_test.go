package rotate_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// crashAt runs a rotation whose process dies before or after a call, such as "start 1".
func (w *world) crashAt(t *testing.T, what string, how fate) {
	t.Helper()
	w.before = map[string]func(){what: func() { w.fates = []fate{how} }}
	if err := w.rotator().Run(t.Context(), "client"); err == nil || !w.dead {
		t.Fatalf("the process is alive: %v", err)
	}
	clear(w.before)
}

// TestStartOfAnotherProcess has a process die before its start was sent. Hours later a person
// starts a rotation by hand and deploys its secret where no deliverer looks. The next run has no
// right to cancel it.
func TestStartOfAnotherProcess(t *testing.T) {
	for _, after := range []time.Duration{61 * time.Second, 3 * time.Hour} {
		t.Run(after.String(), bubble(func(t *testing.T) {
			w := newWorld("a")
			w.crashAt(t, "start 1", crashBefore)
			w.outsider = true
			requested := w.record.UpdatedAt
			time.Sleep(after)
			w.outsiderStarts()
			for range 2 { // looking at it does not make it younger
				err := w.rotator().Run(t.Context(), "client")
				if !errors.Is(err, rotate.ErrOtherRotation) || w.cancels > 0 || w.next == "" {
					t.Fatalf("%v, %d cancellations", err, w.cancels)
				}
				for _, want := range []string{"WithTakeOver", requested.UTC().Format(time.RFC3339)} {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("the error does not say %s: %v", want, err)
					}
				}
			}
			if _, err := w.rotator().Forecast(t.Context(), "client"); !errors.Is(err, rotate.ErrOtherRotation) {
				t.Errorf("Forecast: %v", err)
			}
			if err := w.rotator().Cancel(t.Context(), "client"); !errors.Is(err, rotate.ErrOtherRotation) || w.cancels > 0 {
				t.Errorf("Cancel: %v, %d cancellations", err, w.cancels)
			}
		}))
	}
}

// TestLostStart has a start take effect while its process dies. Within the window the next run
// cancels what it left behind, and later only with WithTakeOver, as its error says.
func TestLostStart(t *testing.T) {
	for name, test := range map[string]struct {
		after time.Duration
		state rotate.State // to end in
		end   func(*rotate.Rotator, *testing.T) error
	}{
		"at once":           {0, rotate.Completed, func(r *rotate.Rotator, t *testing.T) error { return r.Run(t.Context(), "client") }},
		"later":             {time.Hour, rotate.Completed, func(r *rotate.Rotator, t *testing.T) error { return r.Run(t.Context(), "client") }},
		"canceled at once":  {0, rotate.Canceled, func(r *rotate.Rotator, t *testing.T) error { return r.Cancel(t.Context(), "client") }},
		"canceled later":    {time.Hour, rotate.Canceled, func(r *rotate.Rotator, t *testing.T) error { return r.Cancel(t.Context(), "client") }},
		"after a slow hold": {50 * time.Second, rotate.Completed, func(r *rotate.Rotator, t *testing.T) error { return r.Run(t.Context(), "client") }},
	} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a")
			w.crashAt(t, "start 1", crashAfter)
			time.Sleep(test.after)
			if name == "after a slow hold" { // what was seen in time stays what it is, however long the limiter holds the cancellation back
				held := limiterFunc(func() {
					if w.count("pending") == 2 {
						time.Sleep(10 * time.Minute)
					}
				})
				if err := test.end(w.rotator(rotate.WithLimiter(held)), t); err != nil || w.cancels != 1 {
					t.Fatalf("%v, %d cancellations", err, w.cancels)
				}
				return
			}
			err := test.end(w.rotator(), t)
			if late := test.after > time.Minute; late != errors.Is(err, rotate.ErrOtherRotation) || late == (w.cancels == 1) {
				t.Fatalf("%v, %d cancellations", err, w.cancels)
			}
			if err != nil {
				err = test.end(w.rotator(rotate.WithTakeOver()), t)
			}
			if err != nil || w.record.State != test.state || w.next != "" || w.cancels != 1 {
				t.Errorf("%v in %s, %d cancellations", err, w.record.State, w.cancels)
			}
			w.usable(t)
			for _, wrong := range w.wrongs {
				t.Error(wrong)
			}
		}))
	}
}

// TestStartAgeAfterHuman lets a rotation need a human after a lost start, and come back. That does
// not make the start younger.
func TestStartAgeAfterHuman(t *testing.T) { synctest.Test(t, testStartAgeAfterHuman) }

func testStartAgeAfterHuman(t *testing.T) {
	w := newWorld("a")
	w.crashAt(t, "start 1", crashBefore)
	w.outsider = true
	w.outsiderStarts()
	w.current = "secret-9999"
	if err := w.rotator().Run(t.Context(), "client"); !errors.Is(err, rotate.ErrCurrentRefused) || w.record.State != rotate.NeedsHuman {
		t.Fatalf("%v in %s", err, w.record.State)
	}
	time.Sleep(50 * time.Second)
	if err := w.rotator().Run(t.Context(), "client"); !errors.Is(err, rotate.ErrCurrentRefused) {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Second)
	w.sinks["a"] = rotate.Delivery{ClientID: "client", Secret: secret.New(w.current)}
	if err := w.rotator().Run(t.Context(), "client"); !errors.Is(err, rotate.ErrOtherRotation) || w.cancels > 0 {
		t.Errorf("%v, %d cancellations", err, w.cancels)
	}
}
