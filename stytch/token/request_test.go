package token_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stytchkit/m2m/stytch/token"
)

func TestScopesAndParameters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{}
		s := newSource(t, e, token.WithScopes("write:users", "read:users", "write:users"), token.WithParameters(map[string]string{"tenant": "a b"}))
		ask := func(r token.Request) string {
			got, err := s.TokenFor(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			return got.Value.Reveal()
		}
		tenant := map[string]string{"tenant": "a b"}
		if mustToken(t, s) != "token-1" || ask(token.Request{Scopes: []string{"read:users", "write:users"}, Parameters: tenant}) != "token-1" {
			t.Error("the same request in another order got another token")
		}
		form := e.form(0)
		if form.Get("scope") != "read:users write:users" || form.Get("tenant") != "a b" || form.Get("grant_type") != "client_credentials" ||
			form.Get("client_id") != client || form.Get("client_secret") != canarySecret || len(form) != 5 {
			t.Error("the form is not what it should be")
		}
		for i, r := range []token.Request{
			{},
			{Scopes: []string{"read:users"}},
			{Scopes: []string{"read:users", "write:users"}},
			{Scopes: []string{"read:users", "write:users"}, Parameters: map[string]string{"tenant": "a", "b": ""}},
			{Parameters: tenant},
			{Parameters: map[string]string{"tenant": `a b","x":"y`}},
		} {
			want := fmt.Sprintf("token-%d", i+2)
			if first, second := ask(r), ask(r); first != want || second != want {
				t.Errorf("%+v: %s, then %s, want %s", r, first, second, want)
			}
		}
		for _, r := range []token.Request{
			{Scopes: []string{""}}, {Scopes: []string{"a b"}}, {Scopes: []string{`a"`}}, {Scopes: []string{"ä"}}, {Scopes: []string{"a\n"}},
			{Parameters: map[string]string{"": "x"}}, {Parameters: map[string]string{"scope": "x"}}, {Parameters: map[string]string{"client_secret": "x"}},
			{Parameters: map[string]string{"x": "\xff"}}, {Scopes: []string{strings.Repeat("a", 1<<20)}},
		} {
			if _, err := s.TokenFor(t.Context(), r); !errors.Is(err, token.ErrInvalidArgument) {
				t.Errorf("%.60v: %v", r, err)
			}
		}
	})
}

// However many different scopes come from outside, memory is bounded, and the ones in use stay.
func TestSlotsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{}
		s := newSource(t, e)
		ask := func(scope string) {
			if _, err := s.TokenFor(t.Context(), token.Request{Scopes: []string{scope}}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 3000 {
			ask(fmt.Sprint(i))
			ask("kept")
		}
		if e.count() != 3001 {
			t.Errorf("%d requests: the one in use was forgotten", e.count())
		}
		ask("2900") // is among the last thousand
		ask("1")    // is not
		if e.count() != 3002 {
			t.Errorf("%d requests, want 3002", e.count())
		}
	})
}
