package rotate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// unreadable is a place that cannot be read, or fails its check.
type unreadable struct {
	worldSink
	broken  bool
	checked error
}

func (u *unreadable) Check(ctx context.Context, id string) error {
	return errors.Join(u.worldSink.Check(ctx, id), u.checked)
}

var errNoMount = errors.New("no such mount")

func (u *unreadable) Read(ctx context.Context, id string) (rotate.Delivery, error) {
	if u.broken {
		return rotate.Delivery{}, errNoMount
	}
	return u.worldSink.Read(ctx, id)
}

// TestSources looks for the current secret in all places, and says where it looked.
func TestSources(t *testing.T) {
	const right, stale, none, broken = "secret-0000", "secret-8888", "", "broken"
	for name, test := range map[string]struct {
		caller string // what WithCurrent returns; "-" without it
		a, b   string // what the places hold
		want   error
		names  string // that the error says, separated by commas
	}{
		"second place":                {"-", stale, right, nil, ""},
		"first place":                 {"-", right, stale, nil, ""},
		"second place, nothing first": {"-", none, right, nil, ""},
		"caller":                      {right, none, stale, nil, ""},
		"stale caller":                {stale, none, right, nil, ""},
		"caller without one":          {none, right, none, nil, ""},
		"all stale":                   {stale, stale, "secret-7777", rotate.ErrCurrentRefused, `WithCurrent,place "a",place "b"`},
		"stale and nothing":           {"-", stale, none, rotate.ErrCurrentRefused, `place "a"`},
		"nothing":                     {"-", none, none, rotate.ErrCurrentUnknown, `place "a",place "b",WithUnknownCurrent`},
		"nothing anywhere":            {none, none, none, rotate.ErrCurrentUnknown, `WithCurrent,place "a",place "b"`},
		"one cannot be read":          {"-", right, broken, rotate.ErrDelivery, "b: no such mount"},
		"neither can be read":         {"-", broken, broken, rotate.ErrDelivery, "a: no such mount,b: no such mount"},
		"the caller knows it, and one cannot be read": {right, none, broken, rotate.ErrDelivery, "b: no such mount"},
	} {
		t.Run(name, bubble(func(t *testing.T) {
			w := newWorld("a", "b")
			w.outsider = true // the stale secrets are theirs
			deliverers := rotate.Deliverers{}
			for place, held := range map[string]string{"a": test.a, "b": test.b} {
				deliverers[place] = &unreadable{worldSink: worldSink{w, place}, broken: held == broken}
				w.sinks[place] = rotate.Delivery{ClientID: "client", Secret: secret.New(held)}
				if held == none || held == broken {
					w.sinks[place] = rotate.Delivery{}
				}
			}
			var options []rotate.Option
			if test.caller != "-" {
				options = append(options, rotate.WithCurrent(func(context.Context, string) (s secret.String, err error) {
					if test.caller != none {
						s = secret.New(test.caller)
					}
					return s, nil
				}))
			}
			r, err := rotate.New(w, deliverers, w, options...)
			if err != nil {
				t.Fatal(err)
			}
			err = r.Run(t.Context(), "client")
			if !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if test.want == nil {
				w.usable(t)
				return
			}
			var e *rotate.Error
			if !errors.As(err, &e) || e.Stage != rotate.Planned || w.count("start")+w.count("deliver") > 0 || w.next != "" {
				t.Errorf("something was begun: %v", err)
			}
			for _, want := range strings.Split(test.names, ",") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %s: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "secret-") {
				t.Error("the error quotes a secret")
			}
		}))
	}
}

// TestPlaceOfAnotherClient is never overwritten, whatever it is rotated for.
func TestPlaceOfAnotherClient(t *testing.T) { synctest.Test(t, testPlaceOfAnotherClient) }

func testPlaceOfAnotherClient(t *testing.T) {
	w := newWorld("a")
	w.outsider = true
	w.sinks["a"] = rotate.Delivery{ClientID: "another client", Secret: secret.New(w.current)}
	err := w.rotator(rotate.WithUnknownCurrent()).Run(t.Context(), "client")
	if !errors.Is(err, rotate.ErrDelivery) || !strings.Contains(err.Error(), `"another client"`) || w.count("start")+w.count("deliver") > 0 {
		t.Errorf("%v; the calls were %v", err, w.log)
	}
}

// TestAdviceOnUnknownCurrent does what the error says: it provides the secret, puts it into the
// place, or rotates without it.
func TestAdviceOnUnknownCurrent(t *testing.T) { synctest.Test(t, testAdviceOnUnknownCurrent) }

func testAdviceOnUnknownCurrent(t *testing.T) {
	for name, follow := range map[string]func(*world) *rotate.Rotator{
		"WithCurrent": func(w *world) *rotate.Rotator {
			return w.rotator(rotate.WithCurrent(func(context.Context, string) (secret.String, error) { return secret.New(w.current), nil }))
		},
		"the right place": func(w *world) *rotate.Rotator {
			w.sinks["a"] = rotate.Delivery{ClientID: "client", Secret: secret.New(w.current)}
			return w.rotator()
		},
		"WithUnknownCurrent": func(w *world) *rotate.Rotator { return w.rotator(rotate.WithUnknownCurrent()) },
	} {
		w := newWorld("a")
		w.outsider = true
		w.sinks["a"] = rotate.Delivery{}
		if err := w.rotator().Plan(t.Context(), "client"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.rotator().Advance(t.Context(), "client"); !errors.Is(err, rotate.ErrCurrentUnknown) || w.record.State != rotate.Planned {
			t.Fatalf("%s: %v in %s", name, err, w.record.State)
		}
		if err := follow(w).Run(t.Context(), "client"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		w.usable(t)
	}
}

// TestPlaceThatCannotBeRead during a recovery does not need a human: the place may have the secret
// that is missing.
func TestPlaceThatCannotBeRead(t *testing.T) { synctest.Test(t, testPlaceThatCannotBeRead) }

func testPlaceThatCannotBeRead(t *testing.T) {
	w := newWorld("a")
	w.outsider = true
	w.before = map[string]func(){"write completing 1": func() { w.current, w.next = "secret-9999", "" }}
	place := &unreadable{worldSink: worldSink{w, "a"}}
	r, err := rotate.New(w, place, w)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context(), "client"); !errors.Is(err, rotate.ErrNoWorkingSecret) || w.record.State != rotate.NeedsHuman {
		t.Fatal(err)
	}
	w.sinks["a"] = rotate.Delivery{ClientID: "client", Secret: secret.New(w.current)}
	place.broken = true
	if err := r.Run(t.Context(), "client"); !errors.Is(err, rotate.ErrNoWorkingSecret) || !errors.Is(err, errNoMount) {
		t.Errorf("%v in %s", err, w.record.State)
	}
	place.broken = false
	if err := r.Run(t.Context(), "client"); err != nil {
		t.Error(err)
	}
	w.usable(t)
}

// TestPreflight begins nothing if a place fails its check.
func TestPreflight(t *testing.T) { synctest.Test(t, testPreflight) }

func testPreflight(t *testing.T) {
	w := newWorld("a")
	sealed := errors.New("sealed")
	bad := map[string]error{"x": sealed, "y": sealed}
	place := func(name string) rotate.Deliverer {
		return checkFunc{rotate.DelivererFunc(func(context.Context, rotate.Delivery) error { return nil }), func() error { return bad[name] }}
	}
	r, err := rotate.New(w, rotate.Deliverers{"a": worldSink{w, "a"}, "x": place("x"), "y": place("y"), "z": place("z")}, w, rotate.WithCancelOnFailure())
	if err != nil {
		t.Fatal(err)
	}
	err = r.Run(t.Context(), "client")
	var e *rotate.Error
	if !errors.As(err, &e) || !errors.Is(err, rotate.ErrDelivery) || !errors.Is(err, sealed) || e.Stage != rotate.Planned {
		t.Fatal(err)
	}
	for _, want := range []string{"x: sealed", "y: sealed", "nothing was begun"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if n := w.count("start") + w.count("deliver") + w.count("probe"); n > 0 {
		t.Errorf("something was begun, or billed: %v", w.log)
	}
	clear(bad)
	if err := r.Run(t.Context(), "client"); err != nil {
		t.Fatal(err)
	}
	w.usable(t)
}

// checkFunc is a deliverer with a check.
type checkFunc struct {
	rotate.Deliverer
	check func() error
}

func (c checkFunc) Check(context.Context, string) error { return c.check() }
