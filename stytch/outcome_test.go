package stytch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// outcomeUnknown asks as a package does that does not import stytch, through two layers of
// wrapping.
func outcomeUnknown(t *testing.T, err error) bool {
	t.Helper()
	var e interface{ OutcomeUnknown() bool }
	if wrapped := fmt.Errorf("second: %w", errors.Join(errors.New("first"), err)); !errors.As(wrapped, &e) {
		t.Fatalf("no OutcomeUnknown in %v", err)
	}
	if e.OutcomeUnknown() != errors.Is(err, stytch.ErrOutcomeUnknown) {
		t.Errorf("OutcomeUnknown is %t, unlike errors.Is: %v", e.OutcomeUnknown(), err)
	}
	return e.OutcomeUnknown()
}

func throttled(err error) (time.Duration, bool) {
	var e interface {
		Throttled() (time.Duration, bool)
	}
	if !errors.As(fmt.Errorf("wrapped: %w", err), &e) {
		return 0, false
	}
	return e.Throttled()
}

// For every step of a rotation and every fault, once and lasting: a step that may have had its
// effect says so, and one that says it had none had none.
func TestOutcomeOfEveryFault(t *testing.T) {
	eachRotation(t, func(t *testing.T, r rotation) {
		for operation, step := range r.steps() {
			t.Run(operation, func(t *testing.T) {
				inBubbles(t, func(t *testing.T, f someFault) {
					for _, times := range []int{1, 0} {
						l := newLocal(t)
						secrets := r.secrets(l.client)
						id, _ := r.create(t, l.client)
						if !strings.HasPrefix(operation, "Start") {
							if _, err := secrets.Start(t.Context(), id); err != nil {
								t.Fatal(err)
							}
						}
						before, err := secrets.LastFour(t.Context(), id)
						if err != nil {
							t.Fatal(err)
						}
						remove := l.Inject(f.fault(operation).Times(times))
						err = step(t.Context(), l.client, id)
						remove()
						if err == nil {
							if f.unknown || f.refused || times == 0 {
								t.Errorf("%d times: no error", times)
							}
							continue
						}
						if got := outcomeUnknown(t, err); got != f.unknown {
							t.Errorf("%d times: unknown is %t: %v", times, got, err)
						}
						if after, err := secrets.LastFour(t.Context(), id); err != nil || !f.unknown && after != before {
							t.Errorf("%d times: it had its effect, and the error denies that: %v", times, err)
						}
						if _, limited := throttled(err); limited != errors.Is(err, stytch.ErrRateLimited) {
							t.Errorf("%d times: throttled is %t: %v", times, limited, err)
						}
					}
				})
			})
		}
	})
}

// What Stytch refuses because of the state of the client is certain.
func TestOutcomeOfARefusal(t *testing.T) {
	eachRotation(t, func(t *testing.T, r rotation) {
		l := newLocal(t)
		id, _ := r.create(t, l.client)
		check := func(err, want error) {
			t.Helper()
			if !errors.Is(err, want) || outcomeUnknown(t, err) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		secrets := r.secrets(l.client)
		check(secrets.Complete(t.Context(), id), stytch.ErrNotRotating)
		check(secrets.Cancel(t.Context(), id), stytch.ErrNotRotating)
		check(must(secrets.Start(t.Context(), "nobody")), stytch.ErrNotFound)
		if _, err := secrets.Start(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		check(must(secrets.Start(t.Context(), id)), stytch.ErrRotating)
	})
}

// Every status that is no success: 5xx other than 501 may have had its effect, as may two that say
// that no call waited for it.
func TestOutcomeOfEveryStatus(t *testing.T) {
	eachRotation(t, func(t *testing.T, r rotation) {
		for name, step := range r.steps() {
			for status := 202; status < 600; status++ {
				synctest.Test(t, func(t *testing.T) {
					err := step(t.Context(), clientOn(t, always(status, "application/json", errorJSON(status, "an_error"))), "a")
					want := status < 300 || status == 408 || status == 499 || status >= 500 && status != 501
					if got := outcomeUnknown(t, err); got != want {
						t.Errorf("%s: %d: unknown is %t", name, status, got)
					}
					if wait, limited := throttled(err); limited != (status == 429) || wait != 0 {
						t.Errorf("%s: %d: throttled is %t, %v", name, status, limited, wait)
					}
				})
			}
		}
	})
}

// Calls without a response: those that were never sent had no effect.
func TestOutcomeWithoutAResponse(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	eachRotation(t, func(t *testing.T, r rotation) {
		for name, call := range r.steps() {
			for _, c := range []struct {
				name    string
				step    step
				unknown bool
			}{
				{"dial", fails(refused), false},
				{"no connection", noConnection(io.EOF), false},
				{"lost after connecting", afterConnecting(fails(io.EOF)), true},
				{"lost", fails(io.ErrUnexpectedEOF), true},
				{"hangs", hangs, true},
				{"hangs in the body", hangsInTheBody(200), true},
				{"breaks off", breaksOff, true},
			} {
				synctest.Test(t, func(t *testing.T) {
					err := call(t.Context(), clientOn(t, script(c.step)), "a")
					if got := outcomeUnknown(t, err); got != c.unknown {
						t.Errorf("%s: %s: unknown is %t: %v", name, c.name, got, err)
					}
					if _, limited := throttled(err); limited {
						t.Errorf("%s: %s: throttled", name, c.name)
					}
				})
			}
			if err := call(t.Context(), newClient(t, stytch.WithBaseURL(closed.URL), stytch.WithRetry(stytch.Retry{BaseDelay: 1, MaxDelay: 1})), "a"); outcomeUnknown(t, err) {
				t.Errorf("%s: nobody listens: %v", name, err)
			}
			if err := call(t.Context(), newLocal(t).client, ""); outcomeUnknown(t, err) {
				t.Errorf("%s: bad argument: %v", name, err)
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if err := call(ended, newLocal(t).client, "a"); outcomeUnknown(t, err) {
				t.Errorf("%s: nothing was sent: %v", name, err)
			}
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := call(ctx, clientOn(t, script(hangs)), "a"); !outcomeUnknown(t, err) || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: given up while it was in progress: %v", name, err)
				}
			})
		}
	})
}

func TestThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clientOn(t, script(limited(429, "90"))) // longer than the client waits by itself
		_, fromStart := c.M2M.Secrets.Start(t.Context(), "a")
		_, fromPending := c.M2M.Secrets.LastFour(t.Context(), "a")
		_, fromProbe := c.M2M.Secrets.Probe(t.Context(), "a", secret.Generate())
		for _, err := range []error{fromStart, fromPending, fromProbe} {
			if wait, ok := throttled(err); wait != 90*time.Second || !ok || outcomeUnknown(t, err) {
				t.Errorf("%v, %t: %v", wait, ok, err)
			}
		}
	})
}
