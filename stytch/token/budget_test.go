package token_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/token"
)

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{}
		var alarms []string
		s := newSource(t, e, token.WithBudget(5, func(used, perHour int) { alarms = append(alarms, fmt.Sprint(used, " of ", perHour)) }))
		ask := func(i int) error {
			_, err := s.TokenFor(t.Context(), token.Request{Scopes: []string{fmt.Sprint(i)}})
			return err
		}
		mustToken(t, s)
		for i := range 4 {
			if err := ask(i); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 10 {
			err := ask(10 + i)
			var budget *token.BudgetError
			if !errors.Is(err, token.ErrBudget) || !errors.As(err, &budget) {
				t.Fatalf("token %d: %v", 5+i, err)
			}
			if budget.PerHour != 5 || time.Until(budget.Until) != time.Hour { // no time has passed since the first
				t.Errorf("token %d: %+v", 5+i, budget)
			}
		}
		if mustToken(t, s) != "token-1" || ask(3) != nil { // from memory
			t.Error("the budget stops a token that is there")
		}
		if want := []string{"4 of 5", "5 of 5"}; !slices.Equal(alarms, want) {
			t.Errorf("alarms %q, want %q", alarms, want)
		}
		if got := s.Stats(); got.OverBudget != 10 || got.Requests != 5 || e.count() != 5 {
			t.Errorf("%+v", got)
		}
		// The refresh is refused, and the token is handed out as long as it lives.
		time.Sleep(58 * time.Minute)
		if mustToken(t, s) != "token-1" || e.count() != 5 {
			t.Error("the budget stops a token that lives")
		}
		time.Sleep(3 * time.Minute)
		if mustToken(t, s) != "token-6" {
			t.Error("the budget of another hour")
		}
		for i := range 10 {
			_ = ask(20 + i)
		}
		if want := []string{"4 of 5", "5 of 5", "4 of 5", "5 of 5"}; !slices.Equal(alarms, want) {
			t.Errorf("alarms %q, want %q: usage fell below four fifths, so each comes again", alarms, want)
		}
	})
}

// Everything counts that may have been billed. Refusals and requests that were never sent do not.
func TestBudgetCountsWhatIsBilled(t *testing.T) {
	cut := func(int, url.Values) *http.Response {
		r := reply(200, "")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"access_token":`), iotest.ErrReader(io.ErrUnexpectedEOF)))
		return r
	}
	type test struct {
		name    string
		respond func(int, url.Values) *http.Response
		left    int // of a budget of 3, after one such request
	}
	tests := []test{
		{"a refusal with a token", status(400, `{"error":"invalid_request","access_token":"AT"}`), 2},
		{"a refusal with half a token", status(401, `{"access_token":"A`), 2},
		{"a lost response", func(int, url.Values) *http.Response { return nil }, 2},
		{"a body that is cut off", cut, 2},
		{"a success without a token", status(200, "{}"), 2},
		{"a token", issue, 2},
	}
	for _, code := range []int{400, 401, 429} {
		tests = append(tests, test{fmt.Sprint(code), status(code, refused("invalid_scope")), 3}, test{fmt.Sprint(code, " empty"), status(code, ""), 3})
	}
	for _, code := range []int{201, 202, 204, 206, 299, 300, 302, 304, 403, 404, 408, 409, 425, 500, 501, 502, 503, 504, 599} {
		tests = append(tests, test{fmt.Sprint(code), status(code, refused("server_error")), 2})
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &endpoint{}
				s := newSource(t, e, token.WithBudget(3, nil))
				e.set(0, c.respond)
				_, _ = s.Token(t.Context())
				e.set(0, issue) // which the automatic repetition finds, too
				left := 0
				for _, err := s.TokenFor(t.Context(), token.Request{Scopes: []string{"0"}}); err == nil && left < 10; left++ {
					_, err = s.TokenFor(t.Context(), token.Request{Scopes: []string{fmt.Sprint(left + 1)}})
				}
				if left != c.left {
					t.Errorf("%d are left, want %d", left, c.left)
				}
			})
		})
	}
}

// A request that never had a connection was not sent, whatever ended it.
func TestBudgetSparesWhatWasNotSent(t *testing.T) {
	dead := net.Dialer{}
	for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
		"refused": func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dead.DialContext(ctx, "tcp", "127.0.0.1:1")
		},
		"hangs":  func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
		"broken": func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t, &http.Transport{DialContext: dial}, token.WithBudget(1, nil), token.WithTimeouts(20*time.Millisecond, time.Second))
			for i := range 3 {
				_, err := s.TokenFor(t.Context(), token.Request{Scopes: []string{fmt.Sprint(i)}})
				if errors.Is(err, token.ErrBudget) || !errors.Is(err, token.ErrUnavailable) {
					t.Errorf("request %d: %v", i+1, err)
				}
			}
		})
	}
}

// An endpoint that answers with errors, whatever it bills, is asked no more often than the budget
// allows.
func TestBudgetBoundsAnOutage(t *testing.T) {
	for _, code := range []int{201, 500, 502, 504} {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{respond: status(code, "")}
			s := newSource(t, e, token.WithBudget(2, nil))
			for start := time.Now(); time.Since(start) < 55*time.Minute; time.Sleep(time.Second) {
				noToken(t, s)
			}
			if e.count() != 2 {
				t.Errorf("%d: %d requests in an hour, want 2", code, e.count())
			}
		})
	}
}

// The limit holds however many ask at once.
func TestBudgetConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{latency: time.Second}
		s := newSource(t, e, token.WithBudget(7, nil))
		var group sync.WaitGroup
		for i := range 100 {
			group.Go(func() {
				_, err := s.TokenFor(t.Context(), token.Request{Scopes: []string{fmt.Sprint(i)}})
				if err != nil && !errors.Is(err, token.ErrBudget) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got := s.Stats(); e.count() != 7 || got.Minted != 7 || got.OverBudget != 93 {
			t.Errorf("%d requests, %+v", e.count(), got)
		}
	})
}
