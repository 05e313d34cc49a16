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

// TestCheck shows what a rotation would find, without beginning one.
func TestCheck(t *testing.T) {
	sealed := errors.New("sealed")
	for name, test := range map[string]struct {
		prepare func(w *world, broken map[string]*unreadable)
		options []rotate.Option
		want    []error // nil: Run may begin
		check   func(r rotate.CheckReport) bool
		tokens  int
		probes  int
	}{
		"all is well": {
			check: func(r rotate.CheckReport) bool {
				return r.Current == rotate.Accepted && r.Source == `place "a"` && !r.Pending && r.State == "" && r.Calls == 2 &&
					slices.Equal(r.Places, []rotate.PlaceReport{
						{Name: "a", Readable: true, Writable: true, Current: true}, {Name: "b", Readable: true, Writable: true, Current: true}, {Name: "c"},
					})
			},
			tokens: 1, probes: 1,
		},
		"a stale place and an empty one": {
			prepare: func(w *world, _ map[string]*unreadable) {
				w.sinks["a"] = rotate.Delivery{ClientID: "client", Secret: secret.New("secret-8888")}
				w.sinks["b"] = rotate.Delivery{}
			},
			options: []rotate.Option{rotate.WithCurrent(func(context.Context, string) (secret.String, error) { return secret.New("secret-0000"), nil })},
			check: func(r rotate.CheckReport) bool {
				return r.Source == "WithCurrent" && !r.Places[0].Current && !r.Places[0].Empty && !r.Places[1].Current && r.Places[1].Empty
			},
			tokens: 1, probes: 1, // the one that ends like the current one comes first
		},
		"all are refused": {
			prepare: func(w *world, _ map[string]*unreadable) {
				w.sinks["a"] = rotate.Delivery{ClientID: "client", Secret: secret.New("secret-8888")}
				w.sinks["b"] = rotate.Delivery{ClientID: "client", Secret: secret.New("secret-9999")}
			},
			want:   []error{rotate.ErrCurrentRefused},
			check:  func(r rotate.CheckReport) bool { return r.Current == rotate.Refused && r.Source == "" },
			probes: 2,
		},
		"none has it": {
			prepare: func(w *world, _ map[string]*unreadable) {
				w.sinks["a"], w.sinks["b"] = rotate.Delivery{}, rotate.Delivery{}
			},
			want:  []error{rotate.ErrCurrentUnknown},
			check: func(r rotate.CheckReport) bool { return r.Current == rotate.Unproved && r.Places[0].Empty },
		},
		"none has it, which is permitted": {
			prepare: func(w *world, _ map[string]*unreadable) {
				w.sinks["a"], w.sinks["b"] = rotate.Delivery{}, rotate.Delivery{}
			},
			options: []rotate.Option{rotate.WithUnknownCurrent()},
			check:   func(r rotate.CheckReport) bool { return r.Current == rotate.Unproved },
		},
		"one place cannot be read, and the other not be written": {
			prepare: func(_ *world, places map[string]*unreadable) { places["a"].broken, places["b"].checked = true, sealed },
			want:    []error{rotate.ErrDelivery, errNoMount, sealed},
			check: func(r rotate.CheckReport) bool {
				a, b := r.Places[0], r.Places[1]
				return !a.Readable && a.Writable && errors.Is(a.Err, errNoMount) && b.Readable && !b.Writable && b.Current && errors.Is(b.Err, sealed)
			},
			tokens: 1, probes: 1,
		},
		"another rotation": {
			prepare: func(w *world, _ map[string]*unreadable) { w.outsiderStarts() },
			want:    []error{rotate.ErrOtherRotation},
			check:   func(r rotate.CheckReport) bool { return r.Pending && r.Current == rotate.Accepted },
			tokens:  1, probes: 1,
		},
		"the places hold what is pending": { // it works, and is not the current one
			prepare: func(w *world, _ map[string]*unreadable) {
				w.outsiderStarts()
				w.sinks["a"] = rotate.Delivery{ClientID: "client", Secret: secret.New(w.next)}
				w.sinks["b"] = w.sinks["a"]
			},
			want:  []error{rotate.ErrOtherRotation},
			check: func(r rotate.CheckReport) bool { return r.Current == rotate.Unproved && !r.Places[0].Current },
		},
		"a rotation in progress": {
			prepare: func(w *world, _ map[string]*unreadable) {
				r := w.rotator(rotate.WithGrace(time.Hour))
				for _, step := range []func(context.Context, string) error{r.Plan, func(ctx context.Context, id string) error { _, err := r.Advance(ctx, id); return err }} {
					if err := step(context.Background(), "client"); err != nil {
						panic(err)
					}
				}
				w.log = nil
			},
			check: func(r rotate.CheckReport) bool {
				return r.State == rotate.Grace && r.Pending && r.Source == "the journal" && r.Current == rotate.Accepted
			},
			tokens: 1, probes: 1,
		},
		"the server does not answer": {
			prepare: func(w *world, _ map[string]*unreadable) {
				w.before = map[string]func(){"pending 1": func() { w.fates = []fate{refusedCall} }}
			},
			want:  []error{&fault{text: "pending refused"}},
			check: func(r rotate.CheckReport) bool { return len(r.Places) == 3 && r.Places[0].Readable && r.Calls == 1 },
		},
	} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a", "b")
			w.outsider = true
			places := map[string]*unreadable{"a": {worldSink: worldSink{w, "a"}}, "b": {worldSink: worldSink{w, "b"}}}
			blind := rotate.DelivererFunc(func(context.Context, rotate.Delivery) error { return nil })
			if test.prepare != nil {
				test.prepare(w, places)
			}
			r, err := rotate.New(w, rotate.Deliverers{"a": places["a"], "b": places["b"], "c": blind}, w, test.options...)
			if err != nil {
				t.Fatal(err)
			}
			record, pending := w.record.State, w.next
			report, err := r.Check(t.Context(), "client")
			if (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			for _, want := range test.want {
				if !errors.Is(err, want) {
					t.Errorf("%v is not %v", err, want)
				}
			}
			if !test.check(report) || report.ClientID != "client" {
				t.Errorf("the report is %+v", report)
			}
			refused := 0 // each is followed by a look whether the client is active
			if err == nil || report.Current == rotate.Refused {
				refused = w.count("probe") - report.BilledTokens
			}
			if report.BilledTokens != test.tokens || w.count("probe") != test.probes || report.Calls != w.count("probe")+w.count("pending")+refused {
				t.Errorf("%d tokens and %d calls; there were %v", report.BilledTokens, report.Calls, w.log)
			}
			for _, call := range w.log {
				if !slices.Contains([]string{"read", "check", "pending", "probe"}, call) {
					t.Errorf("Check called %s", call)
				}
			}
			if w.record.State != record || w.next != pending || err != nil && strings.Contains(err.Error(), "secret-") {
				t.Error("something was changed, or the error quotes a secret")
			}
			w.log = nil
			if err := r.Run(t.Context(), "client"); report.State == "" && (err == nil) != (test.want == nil) && !errors.Is(test.want[0], &fault{text: "pending refused"}) {
				t.Errorf("after the check, Run returned %v", err)
			} else if calls := w.count("pending") + w.count("start") + w.count("probe") + w.count("complete"); err == nil && report.Current == rotate.Accepted &&
				w.count("probe") != report.Run.BilledTokens {
				t.Errorf("Run cost %d tokens and %d calls, the check forecast %+v", w.count("probe"), calls, report.Run)
			}
		}))
	}
}

// TestCheckOfPlaces that panic is the failure of that place.
func TestCheckOfPlaces(t *testing.T) { synctest.Test(t, testCheckOfPlaces) }

func testCheckOfPlaces(t *testing.T) {
	w := newWorld("a")
	b := &bomb{world: w, at: "Check", left: 1}
	r, err := rotate.New(w, rotate.Deliverers{"a": bombPlace{worldSink{w, "a"}, b}}, w)
	if err != nil {
		t.Fatal(err)
	}
	report, err := r.Check(t.Context(), "client")
	if !errors.Is(err, rotate.ErrDelivery) || !strings.Contains(err.Error(), "a: Check panicked: boom") || report.Current != rotate.Accepted || report.Places[0].Writable {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := r.Check(t.Context(), ""); !errors.Is(err, rotate.ErrInvalidArgument) {
		t.Errorf("without a client: %v", err)
	}
}
