package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// verdicts are the parts of a token that a page refuses.
func (s *site) verdicts(p shown) (verdict string, refused []string) {
	s.t.Helper()
	s.has(p, http.StatusOK, "What the token says")
	verdict = s.find(p, `(?s)What the token says.*?<strong>([^<]+)<`)
	for _, row := range regexp.MustCompile(`<tr><th scope="row"><code>([^<]+)</code></th><td><span class="state bad">`).FindAllStringSubmatch(p.body, -1) {
		refused = append(refused, row[1])
	}
	return verdict, refused
}

const mintedToken = `id="minted"[^>]*><code>([^<]+)<`

func TestMint(t *testing.T) {
	s := open(t, false)
	created := s.client("Minted", "write:a")
	for _, test := range []struct {
		preset, verdict string
		refused         string
	}{
		{"", "Good", ""},
		{"expired", "expired", "exp"},
		{"not_yet", "not valid yet", "iat nbf"},
		{"wrong_aud", "another audience", "aud"},
		{"wrong_iss", "issuer", "iss"},
		{"no_scope", "Good", ""},
		{"unknown_kid", "no key with its kid", "kid"},
		{"user_session", "session", "sub"},
	} {
		p := s.post("tokens/mint", "client_id", created.ClientID, "preset", test.preset)
		s.has(p, http.StatusOK, "The minted token")
		verdict, refused := s.verdicts(s.post("tokens/read", "token", s.find(p, mintedToken)))
		if !strings.Contains(verdict, test.verdict) {
			t.Errorf("%q: %s", test.preset, verdict)
		}
		for _, want := range strings.Fields(test.refused) {
			if !strings.Contains(strings.Join(refused, " "), want) {
				t.Errorf("%q: refused are %q, want %s", test.preset, refused, want)
			}
		}
		if test.refused == "" && len(refused) > 0 {
			t.Errorf("%q: refused are %q", test.preset, refused)
		}
	}
	if n := s.instance.Emulator().TokensMinted(""); n != 0 {
		t.Errorf("%d tokens are on the bill", n)
	}
	for name, pairs := range map[string][]string{
		"client_id": {"client_id", "nobody"}, "claims": {"claims", "[]"}, "": nil,
	} {
		p := s.post("tokens/mint", pairs...)
		s.has(p, http.StatusUnprocessableEntity, `-error">`)
		if name != "" {
			s.find(p, `id="`+name+`-error">([^<]+)<`)
		}
	}
	s.has(s.post("tokens/read"), http.StatusUnprocessableEntity, "Paste a token")
}

// Each claim is judged by itself: one that is wrong makes no other one wrong.
func TestReadClaimByClaim(t *testing.T) {
	s := open(t, false)
	created := s.client("Read")
	now := s.instance.Clock().Now
	good := func() map[string]any {
		return map[string]any{
			"iss": "stytch.com/" + projectID, "aud": []string{projectID}, "sub": created.ClientID, "scope": "read:users",
			"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		}
	}
	for _, test := range []struct {
		name, verdict, refused string
		change                 func(map[string]any)
		required               string
	}{
		{name: "good", verdict: "Good", change: func(map[string]any) {}},
		{name: "custom claims", verdict: "Good", change: func(c map[string]any) { c["tenant"] = map[string]any{"id": 1} }},
		{name: "a Connected App", verdict: "Good", change: func(c map[string]any) {
			c["sub"], c["client_id"] = "user-test-1", "connected-app-test-1"
		}},
		{name: "a Connected App, for long", verdict: "Good", change: func(c map[string]any) {
			c["sub"], c["client_id"], c["exp"] = "user-test-1", "connected-app-test-1", now.Add(90*24*time.Hour).Unix()
		}},
		{name: "a user's session", verdict: "session", refused: "sub https://stytch.com/session", change: func(c map[string]any) {
			c["sub"], c["https://stytch.com/session"] = "user-test-1", map[string]any{"id": "session-test-1"}
		}},
		{name: "expired", verdict: "expired", refused: "exp", change: func(c map[string]any) {
			c["iat"], c["nbf"], c["exp"] = now.Add(-2*time.Hour).Unix(), now.Add(-2*time.Hour).Unix(), now.Add(-time.Hour).Unix()
		}},
		{name: "lives too long", verdict: "longer than one hour", refused: "exp", change: func(c map[string]any) { c["exp"] = now.Add(3 * time.Hour).Unix() }},
		{name: "everything is wrong", verdict: "not a well-formed", refused: "iss aud sub nbf exp", change: func(c map[string]any) {
			c["iss"], c["aud"], c["sub"], c["nbf"], c["exp"] = "example.com", "other", "user-test-1", now.Add(time.Hour).Unix(), now.Add(-time.Hour).Unix()
		}},
		{name: "missing claims", verdict: "not a well-formed", refused: "scope exp", change: func(c map[string]any) { delete(c, "scope"); delete(c, "exp") }},
		{name: "wrong types", verdict: "not a well-formed", refused: "aud exp", change: func(c map[string]any) { c["aud"], c["exp"] = 1, "soon" }},
		{name: "a scope is missing", verdict: "lacks a scope", refused: "scope", change: func(map[string]any) {}, required: "read:users write:a"},
		{name: "a scope is granted", verdict: "Good", change: func(c map[string]any) { c["scope"] = "write:*" }, required: "write:a"},
	} {
		claims := good()
		test.change(claims)
		text, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		token := s.find(s.post("tokens/mint", "claims", string(text)), mintedToken)
		verdict, refused := s.verdicts(s.post("tokens/read", "token", "Bearer "+token, "required", test.required))
		if !strings.Contains(verdict, test.verdict) || strings.Join(refused, " ") != test.refused {
			t.Errorf("%s: %s: %q, want %s", test.name, verdict, refused, test.refused)
		}
	}
}

// A custom domain as issuer is the project's own.
func TestReadCustomIssuer(t *testing.T) {
	s := open(t, false, emulator.WithIssuer("https://auth.example.com"))
	created := s.client("Read")
	token := s.find(s.post("tokens/mint", "client_id", created.ClientID), mintedToken)
	if verdict, refused := s.verdicts(s.post("tokens/read", "token", token)); !strings.HasPrefix(verdict, "Good") || len(refused) > 0 {
		t.Errorf("%s: %q", verdict, refused)
	}
}

// What is no token at all is said, too.
func TestReadOddTokens(t *testing.T) {
	s := open(t, false)
	created := s.client("Read")
	token := s.find(s.post("tokens/mint", "client_id", created.ClientID), mintedToken)
	parts := strings.Split(token, ".")
	for name, test := range map[string]struct{ token, verdict, refused string }{
		"a word":                {"hello", "not a well-formed", "Form"},
		"two parts":             {"a.b", "not a well-formed", "Form"},
		"no JSON":               {"YQ.YQ.YQ", "not a well-formed", "Form"},
		"none":                  {"eyJhbGciOiJub25lIn0." + parts[1] + ".", "", ""},
		"another signature":     {parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])), "signature", "Signature"},
		"changed claims":        {parts[0] + "." + "e30" + "." + parts[2], "signature", "Signature"},
		"markup":                {"<script>.a.b", "not a well-formed", "Form"},
		"a very long text":      {strings.Repeat("x", 100_000), "not a well-formed", "Form"},
		"with line breaks":      {parts[0] + ".\n" + parts[1] + "." + parts[2], "not a well-formed", "Form"},
		"with a scheme, padded": {"  bearer   " + token + " \n", "Good", ""},
	} {
		verdict, refused := s.verdicts(s.post("tokens/read", "token", test.token))
		if !strings.Contains(verdict, test.verdict) || test.refused != "" && !strings.HasPrefix(fmt.Sprint(refused), "["+test.refused) {
			t.Errorf("%s: %s: %q, want %s", name, verdict, refused, test.refused)
		}
	}
}
