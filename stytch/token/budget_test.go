package token_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
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
			if err := ask(10 + i); !errors.Is(err, token.ErrBudget) {
				t.Errorf("token %d: %v", 5+i, err)
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
		for i := range 4 {
			_ = ask(20 + i)
		}
		if len(alarms) != 3 {
			t.Errorf("alarms %q: none for the second time", alarms)
		}
	})
}

// What surely was not issued does not count; what may have been does.
func TestBudgetCountsWhatIsBilled(t *testing.T) {
	for _, c := range []struct {
		name    string
		respond func(int, url.Values) *http.Response
		left    int // of a budget of 3, after one such request
	}{
		{"503", status(503, ""), 3},
		{"429", status(429, ""), 3},
		{"invalid_scope", status(400, refused("invalid_scope")), 3},
		{"a lost response", func(int, url.Values) *http.Response { return nil }, 2},
		{"a success without a token", status(200, "{}"), 2},
		{"a token", issue, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &endpoint{}
				s := newSource(t, e, token.WithBudget(3, nil))
				e.set(0, c.respond)
				_, _ = s.Token(t.Context())
				e.set(0, issue)
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
