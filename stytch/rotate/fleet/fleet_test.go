package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

// eachJournal runs a test in a bubble for both kinds of journals.
func eachJournal(t *testing.T, test func(t *testing.T, p *server, j rotate.Journal, s *memory)) {
	for name, open := range journals {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j, s := open()
				test(t, newServer(), j, s)
			})
		})
	}
}

// counts checks the numbers of a report.
func counts(t *testing.T, got fleet.Report, want fleet.Report) {
	t.Helper()
	failures := got.Failures
	got.Failures, want.Failures = nil, nil
	if got.Done != want.Done || got.Failed != want.Failed || got.Busy != want.Busy || got.Skipped != want.Skipped || got.Left != want.Left {
		t.Errorf("report %+v, want %+v; failures %v", got, want, failures)
	}
}

// TestFleet: every client once, and never more at once than is allowed.
func TestFleet(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, _ *memory) {
		p.hook = func(what, _ string) error {
			if what == "start" {
				time.Sleep(time.Second)
			}
			return nil
		}
		ids := names(1300) // more than are read ahead, and three batches of a shared queue
		var told []fleet.Progress
		f := newFleet(t, p.rotator(t, j), fleet.WithConcurrency(5), fleet.WithTotal(len(ids)), fleet.WithProgress(10*time.Second, func(p fleet.Progress) { told = append(told, p) }))
		began := time.Now()
		report, err := f.Run(t.Context(), each(ids))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: len(ids)})
		p.once(t, ids)
		if p.most != 5 {
			t.Errorf("%d clients were worked on at once, want 5", p.most)
		}
		if took := time.Since(began); took > 262*time.Second {
			t.Errorf("1300 clients of 1 s took 5 workers %v", took)
		}
		if len(told) < 26 {
			t.Fatalf("progress was told %d times", len(told))
		}
		middle, last := told[12], told[len(told)-1]
		if middle.Left != len(ids)-middle.Done || middle.Rate < 4 || middle.Rate > 6 ||
			(middle.ETA-time.Duration(middle.Left)*time.Second/5).Abs() > 30*time.Second {
			t.Errorf("progress in the middle: %+v", middle)
		}
		if last.Done != len(ids) || last.Left != 0 || last.ETA != 0 {
			t.Errorf("progress at the end: %+v", last)
		}
	})
}

func TestArguments(t *testing.T) {
	r := newServer().rotator(t, newMemory())
	for name, option := range map[string]fleet.Option{
		"nil":               nil,
		"concurrency":       fleet.WithConcurrency(0),
		"no failures":       fleet.WithMaxFailures(0),
		"too many failures": fleet.WithMaxFailures(10_001),
		"older than":        fleet.WithOlderThan(-1),
		"total":             fleet.WithTotal(-1),
		"audit":             fleet.WithAudit(nil),
		"interval":          fleet.WithProgress(0, func(fleet.Progress) {}),
		"no function":       fleet.WithProgress(time.Second, nil),
	} {
		if f, err := fleet.New(r, option); f != nil || !errors.Is(err, fleet.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := fleet.New(nil); !errors.Is(err, rotate.ErrInvalidArgument) {
		t.Errorf("no rotator: %v", err)
	}
	if _, err := newFleet(t, r).Run(t.Context(), nil); !errors.Is(err, fleet.ErrInvalidArgument) {
		t.Errorf("no clients: %v", err)
	}
}

var errSick = &fault{"this client is sick"}

// sick makes each n-th client fail.
func sick(n int) func(what, id string) error {
	return func(what, id string) error {
		var i int
		if _, err := fmt.Sscanf(id, "client-%d", &i); err != nil {
			panic(err)
		}
		if what == "pending" && i%n == 0 {
			return errSick
		}
		return nil
	}
}

func TestFleetMaxFailures(t *testing.T) {
	for name, test := range map[string]struct {
		max  int
		want fleet.Report
		err  error
	}{
		"one":      {1, fleet.Report{Failed: 1}, fleet.ErrTooManyFailures},
		"default":  {10, fleet.Report{Done: 36, Failed: 10}, fleet.ErrTooManyFailures},
		"no limit": {10_000, fleet.Report{Done: 800, Failed: 200}, nil},
		"reached":  {200, fleet.Report{Done: 796, Failed: 200}, fleet.ErrTooManyFailures},
		"enough":   {201, fleet.Report{Done: 800, Failed: 200}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newServer()
			p.hook = sick(5)
			f := newFleet(t, p.rotator(t, newMemory()), fleet.WithConcurrency(1), fleet.WithMaxFailures(test.max))
			report, err := f.Run(t.Context(), each(names(1000)))
			if !errors.Is(err, test.err) || test.err != nil && !errors.Is(err, errSick) {
				t.Errorf("error %v, want %v with its cause", err, test.err)
			}
			counts(t, report, test.want)
			if len(report.Failures) != min(100, test.want.Failed) {
				t.Errorf("%d failures are kept", len(report.Failures))
			}
			for _, err := range report.Failures {
				var e *rotate.Error
				if !errors.As(err, &e) || e.ClientID == "" || !errors.Is(err, errSick) {
					t.Errorf("failure %v", err)
				}
			}
			if p.completed() != test.want.Done {
				t.Errorf("%d clients were completed", p.completed())
			}
		})
	}
}

// TestFleetThrottled: what the server asks of one worker stops all.
func TestFleetThrottled(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, _ *memory) {
		const pause = 20 * time.Second
		var at time.Time
		n := 0
		p.hook = func(what, _ string) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			if n++; what == "start" && n > 100 && at.IsZero() {
				at = time.Now()
				return &slowDown{pause}
			}
			return nil
		}
		ids := names(100)
		f := newFleet(t, p.rotator(t, j, rotate.WithLimiter(newBucket(t, 50, 5))))
		report, err := f.Run(t.Context(), each(ids))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: len(ids)})
		p.once(t, ids)
		after := 0
		for _, call := range p.log {
			if call.After(at) && call.Before(at.Add(pause)) {
				t.Fatalf("a call %v after the server asked for a pause", call.Sub(at))
			}
			if second := call.Sub(at) - pause; second >= 0 && second < time.Second {
				after++
			}
		}
		if at.IsZero() || after < 20 || after > 30 {
			t.Errorf("%d calls in the second after the pause, want about half of 50", after)
		}
	})
}

// slowDown is what a server says with 429.
type slowDown struct{ wait time.Duration }

func (e *slowDown) Error() string                    { return "slow down" }
func (e *slowDown) OutcomeUnknown() bool             { return false }
func (e *slowDown) Throttled() (time.Duration, bool) { return e.wait, true }

func TestFleetOlderThan(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, s *memory) {
		ids := names(30)
		r := p.rotator(t, j)
		f := newFleet(t, r, fleet.WithOlderThan(24*time.Hour))
		for _, part := range [][]string{ids[:10], ids[10:20]} { // a day and a little, and half a day ago
			if _, err := f.Run(t.Context(), each(part)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(12*time.Hour + time.Minute)
		}
		forecast, err := f.Forecast(t.Context(), each(ids))
		if err != nil || forecast.Clients != 20 || forecast.Skipped != 10 {
			t.Errorf("Forecast: %+v, %v", forecast, err)
		}
		report, err := f.Run(t.Context(), each(ids))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 20, Skipped: 10})
		for i, id := range ids {
			if got, want := p.client(id).complete, 1; got != want && (i >= 10 || got != 2) {
				t.Errorf("%s was rotated %d times", id, got)
			}
		}
		time.Sleep(time.Minute)
		f = newFleet(t, r)
		if report, err = f.Run(t.Context(), each(ids[:3])); err != nil || report.Done != 3 {
			t.Errorf("without OlderThan: %+v, %v", report, err)
		}
	})
}

// TestFleetTwice: a client that is twice in the list is rotated once.
func TestFleetTwice(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, _ *memory) {
		p.hook = func(string, string) error { time.Sleep(time.Millisecond); return nil }
		ids := names(40)
		f := newFleet(t, p.rotator(t, j, rotate.WithGrace(time.Minute)), fleet.WithConcurrency(1), fleet.WithOlderThan(time.Hour))
		report, err := f.Run(t.Context(), each(append(ids, ids...)))
		if err != nil || report.Done != 40 || report.Failed+report.Left != 0 {
			t.Errorf("Run: %+v, %v", report, err)
		}
		p.once(t, ids)
	})
}

func TestFleetIteratorFails(t *testing.T) {
	lost := errors.New("page 3 is lost")
	list := func(yield func(string, error) bool) {
		for _, id := range names(25) {
			if !yield(id, nil) {
				return
			}
		}
		if yield("", lost) {
			panic("asked again after an error")
		}
	}
	for _, grace := range []time.Duration{0, time.Minute} {
		eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, _ *memory) {
			f := newFleet(t, p.rotator(t, j, rotate.WithGrace(grace)))
			if _, err := f.Forecast(t.Context(), list); !errors.Is(err, lost) {
				t.Errorf("Forecast: %v", err)
			}
			report, err := f.Run(t.Context(), list)
			if !errors.Is(err, lost) {
				t.Errorf("Run: %v", err)
			}
			counts(t, report, fleet.Report{Done: 25}) // what was taken in is brought to its end
			p.once(t, names(25))
		})
	}
}

func TestFleetBusy(t *testing.T) {
	p, j := newServer(), newMemory()
	held, err := j.Claim(t.Context(), "client-00003", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	f := newFleet(t, p.rotator(t, j), fleet.WithConcurrency(1))
	report, err := f.Run(t.Context(), each(append(names(10), "")))
	if err != nil || len(report.Failures) != 1 || !errors.Is(report.Failures[0], rotate.ErrInvalidArgument) {
		t.Errorf("Run with an empty id: %+v, %v", report, err)
	}
	counts(t, report, fleet.Report{Done: 9, Busy: 1, Failed: 1})
	if err := held.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestFleetCancelOnFailure: the option works as it does for one client.
func TestFleetCancelOnFailure(t *testing.T) {
	eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, s *memory) {
		failed := false
		p.hook = func(what, id string) error {
			if what == "deliver" && id == "client-00004" && !failed { // and once more, with the current secret
				failed = true
				return errSick
			}
			return nil
		}
		f := newFleet(t, p.rotator(t, j, rotate.WithCancelOnFailure()))
		report, err := f.Run(t.Context(), each(names(10)))
		if err != nil {
			t.Fatal(err)
		}
		counts(t, report, fleet.Report{Done: 9, Failed: 1})
		if len(report.Failures) != 1 || !errors.Is(report.Failures[0], rotate.ErrCanceled) || !errors.Is(report.Failures[0], errSick) {
			t.Errorf("failures %v", report.Failures)
		}
		if c := p.client("client-00004"); c.next != "" || c.complete != 0 || s.state("client-00004") != rotate.Canceled {
			t.Error("the rotation was not canceled")
		}
	})
}

// TestFleetJournalFails checks that a journal that cannot be listed ends Resume, and loses nothing.
func TestFleetJournalFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, j := newServer(), newMemory()
		f := newFleet(t, p.rotator(t, j, rotate.WithGrace(time.Minute)))
		down := errors.New("the disk is gone")
		j.listing = down
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		report, err := f.Run(ctx, each(names(7))) // which does not list
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, down) {
			t.Errorf("Run: %v", err)
		}
		counts(t, report, fleet.Report{Left: 7})
		if _, err := f.Resume(t.Context()); !errors.Is(err, down) || !errors.Is(err, rotate.ErrJournal) {
			t.Errorf("Resume: %v", err)
		}
		j.listing = rotate.ErrCorrupt // of one record only
		report, err = f.Resume(t.Context())
		if err != nil || len(report.Failures) != 1 || !errors.Is(report.Failures[0], rotate.ErrCorrupt) {
			t.Errorf("Resume beside a corrupt record: %+v, %v", report, err)
		}
		counts(t, report, fleet.Report{Done: 7, Failed: 1})
		p.once(t, names(7))
	})
}

// TestFleetForecast: what is forecast is what happens, for clients in every state.
func TestFleetForecast(t *testing.T) {
	for _, grace := range []time.Duration{0, 15 * time.Minute} {
		eachJournal(t, func(t *testing.T, p *server, j rotate.Journal, _ *memory) {
			ids := names(40)
			options := []rotate.Option{rotate.WithGrace(grace), rotate.WithLimiter(newBucket(t, 20, 1))}
			// Some are in progress: each was left at another call, but not where it is unknown
			// whether start was sent.
			for i, id := range ids[:20] {
				ctx, cancel := context.WithCancel(t.Context())
				n := 0
				p.hook = func(string, string) error {
					if n++; n == []int{1, 3, 4, 5, 6}[i%5] {
						cancel()
					}
					return nil
				}
				r := p.rotator(t, j, options...)
				if err := r.Run(ctx, id); err == nil {
					t.Fatalf("%s was not left", id)
				}
				cancel()
			}
			p.hook = nil
			time.Sleep(time.Minute)
			f := newFleet(t, p.rotator(t, j, options...))
			before := p.calls
			forecast, err := f.Forecast(t.Context(), each(ids))
			if err != nil || p.calls != before {
				t.Fatalf("Forecast: %v, with %d calls", err, p.calls-before)
			}
			tokens, began := p.tokens, time.Now()
			report, err := f.Run(t.Context(), each(ids))
			if err != nil {
				t.Fatal(err)
			}
			counts(t, report, fleet.Report{Done: 40})
			took := time.Since(began)
			if forecast.Clients != 40 || forecast.Calls != p.calls-before || forecast.BilledTokens != p.tokens-tokens {
				t.Errorf("forecast %+v; there were %d calls and %d tokens", forecast, p.calls-before, p.tokens-tokens)
			}
			if (forecast.Duration - took).Abs() > 10*time.Second {
				t.Errorf("forecast %v, took %v", forecast.Duration, took)
			}
		})
	}
}

func TestIDs(t *testing.T) {
	type client struct{ id, scope string }
	lost := errors.New("lost")
	list := func(yield func(client, error) bool) {
		_ = yield(client{"a", "read"}, nil) && yield(client{"b", "write"}, nil) && yield(client{"c", "read"}, nil) && yield(client{}, lost)
	}
	ids := fleet.IDs(list, func(c client) (string, bool) { return c.id, c.scope == "read" })
	collect := func(ids iter.Seq2[string, error], most int) (got []string) {
		for id, err := range ids {
			if err != nil {
				id = err.Error()
			}
			if got = append(got, id); len(got) == most {
				break
			}
		}
		return got
	}
	for most, want := range map[int][]string{9: {"a", "c", "lost"}, 1: {"a"}, 2: {"a", "c"}} {
		for range 2 { // it can be ranged over again
			if got := collect(ids, most); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
}

// TestFleetSecrets: reports and errors hold none.
func TestFleetSecrets(t *testing.T) {
	p := newServer()
	p.hook = func(what, id string) error {
		if what == "deliver" {
			p.mu.Lock()
			defer p.mu.Unlock()
			return fmt.Errorf("refused %s", p.clients[id].next)
		}
		return nil
	}
	f := newFleet(t, p.rotator(t, newMemory()))
	report, err := f.Run(t.Context(), each(names(20)))
	if !errors.Is(err, fleet.ErrTooManyFailures) || report.Failed < 10 {
		t.Fatalf("%d failed, %v", report.Failed, err)
	}
	if text := fmt.Sprintf("%v %+v %#v", err, report, report.Failures); strings.Contains(text, "canary-") || !strings.Contains(text, secret.Placeholder) {
		t.Error("a secret is in the report or in the error")
	}
}
