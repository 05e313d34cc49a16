package verify_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/verify"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func atStart() time.Time { return start }

// canary stands in every token that is refused, and must not stand in any error.
const canary = "c4n4ry"

func TestClaims(t *testing.T) {
	k := newSigner(t)
	for _, test := range []struct {
		name string
		want error
		pair []any
	}{
		{"good", nil, nil},
		{"no scopes", nil, []any{"scope", ""}},
		{"scope missing", verify.ErrMalformed, []any{"scope", nil}},
		{"every sign in a scope", nil, []any{"scope", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~ a"}},
		{"quote in a scope", verify.ErrMalformed, []any{"scope", "a\""}},
		{"backslash in a scope", verify.ErrMalformed, []any{"scope", "a\\"}},
		{"scope with a tab", verify.ErrMalformed, []any{"scope", "a\tb"}},
		{"scope with a space behind", verify.ErrMalformed, []any{"scope", "a "}},
		{"scope with a letter beyond ASCII", verify.ErrMalformed, []any{"scope", "é"}},
		{"audience is a string", nil, []any{"aud", project}},
		{"audience among others", nil, []any{"aud", []string{"other", project}}},
		{"audience of others", verify.ErrAudience, []any{"aud", []string{"other", canary}}},
		{"audience empty", verify.ErrAudience, []any{"aud", []string{}}},
		{"audience with a number", verify.ErrMalformed, []any{"aud", []any{project, 1}}},
		{"audience missing", verify.ErrMalformed, []any{"aud", nil}},
		{"issuer missing", verify.ErrMalformed, []any{"iss", nil}},
		{"issuer with a slash", verify.ErrIssuer, []any{"iss", "stytch.com/" + project + "/"}},
		{"custom domain", verify.ErrIssuer, []any{"iss", "https://login.example.com"}},
		{"within the leeway after exp", nil, []any{"iat", start.Unix() - 3600, "exp", start.Unix() - 29}},
		{"at the end of the leeway", verify.ErrExpired, []any{"iat", start.Unix() - 3600, "exp", start.Unix() - 30}},
		{"nbf within the leeway", nil, []any{"nbf", start.Unix() + 30}},
		{"nbf after the leeway", verify.ErrNotYetValid, []any{"nbf", start.Unix() + 31}},
		{"iat after the leeway", verify.ErrNotYetValid, []any{"iat", start.Unix() + 31}},
		{"hour and leeway", nil, []any{"exp", start.Unix() + 3630}},
		{"hour and leeway and a second", verify.ErrLifetime, []any{"exp", start.Unix() + 3631}},
		{"exp in the year 9999", verify.ErrLifetime, []any{"exp", int64(253402300799)}},
		{"exp after the year 9999", verify.ErrMalformed, []any{"exp", int64(253402300800)}},
		{"exp negative", verify.ErrMalformed, []any{"exp", -1}},
		{"exp a float", verify.ErrMalformed, []any{"exp", math.MaxFloat64}},
		{"exp equal to iat", verify.ErrMalformed, []any{"exp", start.Unix()}},
		{"session", verify.ErrKind, []any{"https://stytch.com/session", map[string]any{"id": canary}, "scope", nil}},
		{"session with a scope", verify.ErrKind, []any{"https://stytch.com/session", 1}},
		{"claim in the name of Stytch", verify.ErrKind, []any{"https://stytch.com/" + canary, 1}},
		{"claim of the name of Stytch alone", verify.ErrKind, []any{"https://stytch.com/", 1}},
		{"claim that begins alike", nil, []any{"https://stytch.com", 1}},
		{"client_id as sub", nil, []any{"client_id", client}},
		{"client_id of another", verify.ErrKind, []any{"client_id", "m2m-client-test-2"}},
		{"client_id is a number", verify.ErrMalformed, []any{"client_id", 2}},
		{"sub of nobody", verify.ErrKind, []any{"sub", "m2m-client-test-"}},
		{"sub empty", verify.ErrMalformed, []any{"sub", ""}},
		{"sub of the other environment", verify.ErrKind, []any{"sub", strings.Replace(client, "test", "live", 1)}},
		{"sub imported", nil, []any{"sub", "billing-" + canary}},
		{"sub imported, with client_id", nil, []any{"sub", "billing", "client_id", "billing"}},
		{"sub imported, client_id of another", verify.ErrKind, []any{"sub", "billing", "client_id", "billing-2"}},
		{"sub imported, session", verify.ErrKind, []any{"sub", "billing", "https://stytch.com/session", map[string]any{"id": canary}}},
		{"sub imported, organization", verify.ErrKind, []any{"sub", "billing", "https://stytch.com/organization", map[string]any{"id": canary}}},
		{"sub of a user", verify.ErrKind, []any{"sub", "user-test-" + canary}},
		{"sub of a member of the other environment", verify.ErrKind, []any{"sub", "member-live-" + canary}},
		{"sub that reads like a user", verify.ErrKind, []any{"sub", "User-" + canary}},
		{"sub that reads like a session", verify.ErrKind, []any{"sub", "session-" + canary}},
		{"sub of a Connected App", verify.ErrKind, []any{"sub", "connected-app-test-1"}},
		{"sub that contains a made id", verify.ErrKind, []any{"sub", "x" + client}},
		{"sub of a made id in capitals", verify.ErrKind, []any{"sub", strings.ToUpper(client)}},
		{"sub with a space", verify.ErrKind, []any{"sub", "billing " + canary}},
		{"sub of a secret", verify.ErrKind, []any{"sub", "secret-" + canary}},
		{"sub too long", verify.ErrKind, []any{"sub", strings.Repeat("b", 257)}},
		{"sub with a line break", verify.ErrMalformed, []any{"sub", client + "\n" + canary}},
		{"sub with NEL", verify.ErrMalformed, []any{"sub", client + "\u0085"}},
		{"sub with a line separator", verify.ErrMalformed, []any{"sub", client + "\u2028"}},
		{"sub with a paragraph separator", verify.ErrMalformed, []any{"sub", client + "\u2029"}},
		{"sub with what is beside both", nil, []any{"sub", client + "a\u00a9\u2027\u202a\u2068"}},
		{"sub with a letter of Latin-1", nil, []any{"sub", client + "\u00e9\u00a0\u20ac"}},
		{"jti", nil, []any{"jti", "x"}},
		{"jti is a number", verify.ErrMalformed, []any{"jti", 7}},
		{"jti with a control character", verify.ErrMalformed, []any{"jti", "\x7f"}},
	} {
		v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart))
		token := k.sign(t, claimsAt(start, append([]any{"canary", canary}, test.pair...)...))
		for range 2 {
			claims, err := v.Verify(context.Background(), token)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) || (claims.Subject == "") != (err != nil) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
			if err != nil && (strings.Contains(err.Error(), canary) || !strings.HasPrefix(err.Error(), "verify: ")) {
				t.Errorf("%s: the error shows the token, or not who made it", test.name)
			}
		}
	}
}

// sentinels are all kinds of errors: an error must be of one kind only.
var sentinels = []error{verify.ErrMalformed, verify.ErrAlgorithm, verify.ErrUnknownKey, verify.ErrSignature, verify.ErrExpired,
	verify.ErrNotYetValid, verify.ErrTooOld, verify.ErrLifetime, verify.ErrIssuer, verify.ErrAudience, verify.ErrKind,
	verify.ErrScope, verify.ErrInactive, verify.ErrKeysUnavailable, verify.ErrCheckUnavailable}

func TestHeaders(t *testing.T) {
	k := newSigner(t)
	v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart))
	payload := `{"iss":"stytch.com/` + project + `","aud":"` + project + `","sub":"` + client + `","scope":"","iat":1767225600,"nbf":1767225600,"exp":1767229200}`
	for header, want := range map[string]error{
		`{"alg":"RS256","kid":"jwk-test-1"}`:                                       nil,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"JWT"}`:                           nil,
		` {"kid" : "jwk-test-1" , "typ":"at+jwt","alg":"\u0052S256" }`:             nil,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"jwt"}`:                           nil,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"AT+JWT"}`:                        nil,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"application/at+jwt"}`:            nil,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"Application/At+Jwt"}`:            nil,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"application/jwt"}`:               nil,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"\u006aWT"}`:                      nil,
		`{"alg":"RS256","kid":"jwk-test-1","typ":""}`:                              verify.ErrKind,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"application/"}`:                  verify.ErrKind,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"jws"}`:                           verify.ErrKind,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"at+jws"}`:                        verify.ErrKind,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"text/jwt"}`:                      verify.ErrKind,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"application/application/jwt"}`:   verify.ErrKind,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"application/logout+jwt"}`:        verify.ErrKind,
		`{"alg":"RS256","kid":"jwk-test-1","jku":"https://` + canary + `/"}`:       nil,
		`{"alg":"RS256","kid":"jwk-test-2"}`:                                       verify.ErrUnknownKey,
		`{"alg":"RS256","kid":"` + strings.Repeat("k", 4000) + `"}`:                verify.ErrUnknownKey,
		`{"alg":"rs256","kid":"jwk-test-1"}`:                                       verify.ErrAlgorithm,
		`{"alg":"` + canary + `","kid":"jwk-test-1"}`:                              verify.ErrAlgorithm,
		`{"kid":"jwk-test-1"}`:                                                     verify.ErrAlgorithm,
		`{"alg":"RS256"}`:                                                          verify.ErrMalformed,
		`{"alg":"RS256","kid":""}`:                                                 verify.ErrMalformed,
		`{"alg":"RS256","kid":null}`:                                               verify.ErrMalformed,
		`{"alg":"RS256","kid":"jwk-test-1","crit":[]}`:                             verify.ErrMalformed,
		`{"alg":"RS256","kid":"jwk-test-1","b64":true}`:                            verify.ErrMalformed,
		`{"alg":"RS256","kid":"jwk-test-1","enc":"A128GCM"}`:                       verify.ErrMalformed,
		`{"alg":"RS256","kid":"jwk-test-1","typ":"dpop+jwt"}`:                      verify.ErrKind,
		`{"alg":"RS256","kid":"jwk-test-1","typ":null}`:                            verify.ErrMalformed,
		`{"alg":"RS256","kid":"jwk-test-1","x":{"a":1,"a":1}}`:                     verify.ErrMalformed,
		`{"alg":"RS256","kid":"jwk-test-1","x":` + strings.Repeat("[", 5000) + `}`: verify.ErrMalformed,
		`[]`:   verify.ErrMalformed,
		`null`: verify.ErrMalformed,
		``:     verify.ErrMalformed,
	} {
		claims, err := v.Verify(context.Background(), k.signText(t, header, payload))
		if !errors.Is(err, want) || (err == nil) != (want == nil) || (claims.Subject == "") != (err != nil) {
			t.Errorf("%.60s: %v, want %v", header, err, want)
			continue
		}
		kinds := slices.DeleteFunc(slices.Clone(sentinels), func(kind error) bool { return !errors.Is(err, kind) })
		if err != nil && (len(kinds) != 1 || strings.Contains(err.Error(), canary)) {
			t.Errorf("%.60s: %v is of %d kinds, or shows the token", header, err, len(kinds))
		}
	}
}

// A signed token with one more byte is not one, wherever that is: Go's base64 decoder skips line
// breaks.
func TestAddedBytes(t *testing.T) {
	k := newSigner(t)
	v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart), verify.WithCache(0))
	token := k.sign(t, claimsAt(start))
	for i := range len(token) + 1 {
		for _, added := range []string{"\n", "\r", "."} {
			if _, err := v.Verify(t.Context(), token[:i]+added+token[i:]); !errors.Is(err, verify.ErrMalformed) {
				t.Fatalf("%q before byte %d: %v", added, i, err)
			}
		}
	}
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
}

const malformed time.Duration = math.MinInt64

func TestDates(t *testing.T) {
	k := newSigner(t)
	v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart))
	for text, want := range map[string]time.Duration{ // of iat, from the start, or malformed
		"1767225600":                              0,
		"1767225600.25":                           250 * time.Millisecond,
		"1767225599.999999999999":                 -1*time.Second + 999999999,
		"1767225600." + strings.Repeat("0", 9000): 0,
		"1.7672256e9":                             malformed,
		"1767225600E0":                            malformed,
		"1767225600.5e0":                          malformed,
		"1767225600.5e-1":                         malformed,
		"9999999999999":                           malformed,
		"18446744075476777216":                    malformed, // 2^64 more
		"-1767225600":                             malformed,
		"-0":                                      malformed,
		"0":                                       malformed, // 1970: a lifetime of 56 years
		`"1767225600"`:                            malformed,
		"true":                                    malformed,
	} {
		payload := fmt.Sprintf(`{"iss":"stytch.com/%s","aud":"%s","sub":"%s","scope":"","iat":%s,"nbf":0,"exp":1767229200.5}`, project, project, client, text)
		claims, err := v.Verify(context.Background(), k.signText(t, `{"alg":"RS256","kid":"jwk-test-1"}`, payload))
		switch {
		case want == malformed && err == nil:
			t.Errorf("%.40s: accepted", text)
		case want != malformed && err != nil:
			t.Errorf("%.40s: %v", text, err)
		case want != malformed && (!claims.IssuedAt.Equal(start.Add(want)) || claims.ExpiresAt.Nanosecond() != 5e8):
			t.Errorf("%.40s: %v", text, claims.IssuedAt)
		}
	}
}

func TestClaimsFields(t *testing.T) {
	k := newSigner(t)
	v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart), verify.WithCache(0))
	claims, err := v.Verify(context.Background(), k.sign(t, claimsAt(start, "aud", []string{"other", project}, "jti", "j1",
		"client_id", client, "tenant", "t1", "na\"me", map[string]any{"a": []int{1}}, "zoë", "é")))
	if err != nil {
		t.Fatal(err)
	}
	if claims.Kind != verify.M2M || claims.ClientID != client || claims.Subject != client || claims.ID != "j1" ||
		claims.Issuer != "stytch.com/"+project || !slices.Equal(claims.Audience(), []string{"other", project}) ||
		!slices.Equal(claims.Scopes(), []string{"read:users", "write:users"}) ||
		!claims.IssuedAt.Equal(start) || !claims.NotBefore.Equal(start) || !claims.ExpiresAt.Equal(start.Add(time.Hour)) {
		t.Errorf("%+v", claims)
	}
	var custom map[string]any
	if err := claims.Decode(&custom); err != nil || len(custom) != 3 || custom["tenant"] != "t1" || custom["zoë"] != "é" || custom[`na"me`] == nil {
		t.Errorf("%v %v", custom, err)
	}
	var wrong struct {
		Tenant int `json:"tenant"`
	}
	if err := claims.Decode(&wrong); err == nil || strings.Contains(err.Error(), "t1") {
		t.Errorf("wrong type: %v", err)
	}
	var other struct{ Tenant string } // not the claim's name
	if err := claims.Decode(&other); err != nil || other.Tenant != "" {
		t.Errorf("a claim was decoded into a field of another name: %q %v", other.Tenant, err)
	}
	if claims.Decode(nil) == nil || claims.Decode(wrong) == nil {
		t.Error("a destination that is no pointer was accepted")
	}
	plain, err := v.Verify(context.Background(), k.sign(t, claimsAt(start)))
	if err != nil || plain.Decode(&custom) != nil {
		t.Error("a token without custom claims cannot be decoded", err)
	}
}
