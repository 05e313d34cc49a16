package stytch_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
)

// timed notes when each request comes.
func timed(w *wire) (*wire, *[]time.Time) {
	times := &[]time.Time{}
	respond := w.respond
	w.respond = func(n int, r *http.Request) (*http.Response, error) {
		*times = append(*times, time.Now())
		return respond(n, r)
	}
	return w, times
}

func limited(status int, retryAfter string) step {
	return func(*http.Request) (*http.Response, error) {
		resp := replyJSON(status, errorJSON(status, "an_error"))
		resp.Header.Set("Retry-After", retryAfter)
		return resp, nil
	}
}

// Waits are spread over all of a time that doubles, up to a cap.
func TestWaits(t *testing.T) {
	for _, c := range []struct {
		name   string
		step   step
		retry  stytch.Retry
		bounds []time.Duration
	}{
		{"default", statusOf(503), stytch.Retry{}, []time.Duration{100 * time.Millisecond, 200 * time.Millisecond}},
		{"rate limited", statusOf(429), stytch.Retry{}, []time.Duration{time.Second, 2 * time.Second}},
		{"no response", fails(io.EOF), stytch.Retry{MaxAttempts: 4}, []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond}},
		{"own", statusOf(503), stytch.Retry{MaxAttempts: 5, BaseDelay: time.Second, MaxDelay: 3 * time.Second}, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				longest := make([]time.Duration, len(c.bounds))
				for range 200 {
					w, times := timed(script(c.step))
					_, err := clientOn(t, w, stytch.WithRetry(c.retry)).M2M.Get(t.Context(), "a")
					if err == nil || len(*times) != len(c.bounds)+1 {
						t.Fatalf("%d requests: %v", len(*times), err)
					}
					for i, bound := range c.bounds {
						wait := (*times)[i+1].Sub((*times)[i])
						if wait > bound {
							t.Fatalf("wait %d is %v, want at most %v", i, wait, bound)
						}
						longest[i] = max(longest[i], wait)
					}
				}
				for i, wait := range longest {
					if wait < c.bounds[i]/2 {
						t.Errorf("wait %d is never longer than %v of %v", i, wait, c.bounds[i])
					}
				}
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		name     string
		status   int
		header   string
		deadline time.Duration // of the context; 0: none
		requests int
		elapsed  time.Duration
		told     time.Duration
	}{
		{"honored", 503, "7", 0, 3, 14 * time.Second, 7 * time.Second},
		{"honored after 429", 429, "10", 0, 3, 20 * time.Second, 10 * time.Second},
		{"up to the cap", 503, "60", time.Hour, 3, 2 * time.Minute, time.Minute},
		{"over the cap", 503, "61", time.Hour, 1, 0, 61 * time.Second},
		{"over all caps", 429, "9223372036854775807", time.Hour, 1, 0, 1<<63 - 1},
		{"over the call's own end", 429, "31", 0, 1, 0, 31 * time.Second},
		{"over the rest of it", 503, "20", 0, 2, 20 * time.Second, 20 * time.Second},
		{"over the deadline", 503, "6", 5 * time.Second, 1, 0, 6 * time.Second},
		{"exactly the deadline", 503, "5", 5 * time.Second, 1, 0, 5 * time.Second},
		{"a response that is not repeated", 400, "7", 0, 1, 0, 7 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if c.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.deadline)
					defer cancel()
				}
				w := script(limited(c.status, c.header))
				start := time.Now()
				_, err := clientOn(t, w).M2M.Get(ctx, "a")
				var got *stytch.Error
				if !errors.As(err, &got) || got.RetryAfter != c.told || got.StatusCode != c.status {
					t.Errorf("%v, want to be told %v", err, c.told)
				}
				if n := len(w.requests()); n != c.requests || time.Since(start) != c.elapsed {
					t.Errorf("%d requests in %v, want %d in %v", n, time.Since(start), c.requests, c.elapsed)
				}
				if ctx.Err() != nil {
					t.Error("it waited for the end of the context")
				}
			})
		})
	}
	// A bad header is no header.
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := clientOn(t, script(limited(503, "soon"))).M2M.Get(t.Context(), "a")
		var got *stytch.Error
		if !errors.As(err, &got) || got.RetryAfter != 0 || got.Attempts != 3 || time.Since(start) > 300*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// stages are where the end of a context can meet a call.
var stages = []struct {
	name      string
	step      step
	ambiguous bool
}{
	{"in the dial", func(r *http.Request) (*http.Response, error) {
		_, _ = noConnection(nil)(r)
		return hangs(r)
	}, false},
	{"before the header", afterConnecting(hangs), true},
	{"in the body", hangsInTheBody(200), true},
	{"in the body of an error", hangsInTheBody(503), true},
	{"in the body of a refusal", hangsInTheBody(404), false},
	{"in a body that says something else", func(r *http.Request) (*http.Response, error) {
		resp := replyJSON(200, "")
		resp.ContentLength = -1
		resp.Body = io.NopCloser(io.MultiReader(blocked{r.Context(), nil}, iotest.ErrReader(io.ErrUnexpectedEOF)))
		return resp, nil
	}, true},
	{"between attempts", limited(429, "20"), false},
}

// A call ends with its context, at once, wherever it is; and what may have happened is not
// forgotten.
func TestContextEnds(t *testing.T) {
	ends := map[string]struct {
		end  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		"cancel": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(3*time.Second, cancel)
			return ctx, cancel
		}, context.Canceled},
		"deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 3*time.Second)
		}, context.DeadlineExceeded},
	}
	eachWayOf(t, endpoints, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
		synctest.Test(t, func(t *testing.T) {
			for _, stage := range stages {
				for name, end := range ends {
					if stage.name == "between attempts" && name == "deadline" {
						continue // the call ends before the wait: see TestRetryAfter
					}
					if stage.name == "in the dial" && !traced(e.op) {
						continue // where it hangs is not known, nor does it matter
					}
					ctx, cancel := end.end(t.Context())
					w := script(stage.step)
					start := time.Now()
					err := call(ctx, clientOn(t, w), "a")
					cancel()
					if !errors.Is(err, end.want) || len(w.requests()) != 1 {
						t.Errorf("%s %s: %v after %d requests", name, stage.name, err, len(w.requests()))
					}
					if elapsed := time.Since(start); elapsed != 3*time.Second {
						t.Errorf("%s %s: returned after %v", name, stage.name, elapsed)
					}
					if unknown := stage.ambiguous && e.op.Safety == operation.ShownOnce; errors.Is(err, stytch.ErrOutcomeUnknown) != unknown {
						t.Errorf("%s %s: outcome unknown should be %t: %v", name, stage.name, unknown, err)
					}
					var failure *stytch.Error
					if status := strings.Contains(stage.name, "body") || stage.name == "between attempts"; errors.As(err, &failure) != status {
						t.Errorf("%s %s: the status is lost: %v", name, stage.name, err)
					}
				}
			}
		})
	})
}

// A context that has ended already sends nothing, and leaves nothing in doubt.
func TestContextEndedBefore(t *testing.T) {
	eachWayOf(t, endpoints, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
		w := script(works)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := call(ctx, clientOn(t, w), "a")
		if !errors.Is(err, context.Canceled) || errors.Is(err, stytch.ErrOutcomeUnknown) || len(w.requests()) != 0 {
			t.Errorf("%v after %d requests", err, len(w.requests()))
		}
	})
}

// The end of the context is found on any page of a search.
func TestContextEndsOnTheSecondPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := func(*http.Request) (*http.Response, error) {
			return replyJSON(200, strings.Replace(success(operation.SearchM2MClients), `"next_cursor":null`, `"next_cursor":"2"`, 1)), nil
		}
		for _, prefetch := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			items := 0
			var last error
			for _, err := range clientOn(t, script(page, hangs)).M2M.Search(ctx, stytch.M2MSearch{Prefetch: prefetch}) {
				if last = err; err == nil {
					items++
				}
			}
			if items != 1 || !errors.Is(last, context.Canceled) {
				t.Errorf("%d items, %v", items, last)
			}
		}
	})
}

func TestTimeouts(t *testing.T) {
	for _, c := range []struct {
		name     string
		steps    []step
		options  []stytch.Option
		client   time.Duration // Timeout of the http.Client
		deadline time.Duration // of the context; 0: none
		works    bool
		requests int
		least    time.Duration
		most     time.Duration
	}{
		{"an attempt, then success", []step{hangs, works}, nil, 0, 0, true, 2, 10 * time.Second, 10*time.Second + 100*time.Millisecond},
		{"an attempt's body, then success", []step{hangsInTheBody(200), works}, nil, 0, 0, true, 2, 10 * time.Second, 10*time.Second + 100*time.Millisecond},
		{"the http.Client's is an attempt's", []step{hangs, works}, nil, 2 * time.Second, 0, true, 2, 2 * time.Second, 2*time.Second + 100*time.Millisecond},
		{"the http.Client's is longer", []step{hangs, works}, nil, time.Minute, 0, true, 2, 10 * time.Second, 10*time.Second + 100*time.Millisecond},
		{"the call's", []step{hangs}, []stytch.Option{stytch.WithRetry(stytch.Retry{MaxAttempts: 10})}, 0, 0, false, 3, 20 * time.Second, 30 * time.Second},
		{"own ones", []step{hangs}, []stytch.Option{stytch.WithTimeouts(time.Second, 2500*time.Millisecond), stytch.WithRetry(stytch.Retry{MaxAttempts: 10})}, 0, 0, false, 3, 2 * time.Second, 2500 * time.Millisecond},
		{"a longer deadline holds", []step{hangs}, []stytch.Option{stytch.WithRetry(stytch.Retry{MaxAttempts: 6})}, 0, 2 * time.Minute, false, 6, time.Minute, 65 * time.Second},
		{"a shorter deadline holds", []step{hangs}, nil, 0, time.Second, false, 1, time.Second, time.Second},
		{"slow responses add up", []step{slow(9*time.Second, 503)}, []stytch.Option{stytch.WithRetry(stytch.Retry{MaxAttempts: 10})}, 0, 0, false, 4, 27 * time.Second, 30 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if c.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.deadline)
					defer cancel()
				}
				w := script(c.steps...)
				options := append([]stytch.Option{stytch.WithHTTPClient(&http.Client{Transport: w, Timeout: c.client})}, c.options...)
				start := time.Now()
				_, err := newClient(t, options...).M2M.Get(ctx, "a")
				elapsed := time.Since(start)
				if (err == nil) != c.works || !c.works && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v", err)
				}
				if n := len(w.requests()); n != c.requests || elapsed < c.least || elapsed > c.most {
					t.Errorf("%d requests in %v, want %d in %v to %v", n, elapsed, c.requests, c.least, c.most)
				}
			})
		})
	}
}

func slow(d time.Duration, status int) step {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return statusOf(status)(r)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

// In an outage, calls soon cost one request each. When it is over, they earn their retries back.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		w := &wire{respond: func(_ int, r *http.Request) (*http.Response, error) {
			if down {
				return statusOf(503)(r)
			}
			return works(r)
		}}
		c := clientOn(t, w)
		call := func() int {
			before := len(w.sent)
			_, _ = c.M2M.Get(t.Context(), "a")
			return len(w.sent) - before
		}
		if n := call(); n != 3 {
			t.Errorf("the first call makes %d requests, want 3", n)
		}
		const calls = 2_000
		total := 3
		for range calls - 1 {
			total += call()
		}
		if float64(total) > 1.1*calls {
			t.Errorf("%d requests for %d calls", total, calls)
		}
		if n := call(); n != 1 {
			t.Errorf("%d requests on an empty budget", n)
		}
		down = false
		for range 10 { // earns two retries
			if n := call(); n != 1 {
				t.Errorf("%d requests for a success", n)
			}
		}
		down = true
		if n := call(); n != 3 {
			t.Errorf("after 10 successes a call makes %d requests, want 3", n)
		}
		if n := call(); n != 1 {
			t.Errorf("%d requests on a budget that is empty again", n)
		}
	})
	synctest.Test(t, func(t *testing.T) { // timeouts cost twice as much
		w := script(hangs)
		c := clientOn(t, w)
		for range 30 {
			_, _ = c.M2M.Get(t.Context(), "a")
		}
		if n := len(w.sent) - 30; n != 50 {
			t.Errorf("%d retries after timeouts, want 50", n)
		}
	})
}
