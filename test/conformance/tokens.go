package conformance

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

func (s *suite) m2mTokens(t reporter) {
	held := []string{"write:conformance", "read:conformance", "admin:conformance"}
	created := s.newM2M(t, stytch.M2MCreate{Scopes: held})
	id, sec := created.ClientID, created.ClientSecret
	all := strings.Join(held, " ")

	t.Run("ways to authenticate", func(t reporter) {
		for name, g := range s.grants(t, id, sec) {
			t.Run(name, func(t reporter) {
				issued, err := s.issue(t.Context(), g.contentType, g.text, g.editors...)
				if g.assumed {
					s.assumed(t, "a client may authenticate "+name, err == nil, err)
				} else {
					must(t, err, "ask for a token")
				}
				if err == nil {
					s.checkToken(t, issued, id, all)
				}
			})
		}
	})
	t.Run("scopes", func(t reporter) {
		for asked, want := range map[string]string{
			"": all, "read:conformance": "read:conformance", "admin:conformance write:conformance": "admin:conformance write:conformance",
		} {
			issued, err := s.grant(t.Context(), id, sec, asked)
			must(t, err, "ask for a token")
			s.checkToken(t, issued, id, want)
		}
		s.unheldScope(t, id, sec)
	})
	t.Run("changed scopes", func(t reporter) {
		_, err := s.api.M2M.Update(t.Context(), id, stytch.M2MUpdate{Scopes: stytch.List("read:conformance")})
		must(t, err, "take scopes away")
		issued, err := s.grant(t.Context(), id, sec, "")
		must(t, err, "ask for a token")
		s.checkToken(t, issued, id, "read:conformance")
	})
	t.Run("refused", func(t reporter) {
		for name, ask := range map[string]func() (*gen.IssueM2MTokenResponse, error){
			"wrong secret": func() (*gen.IssueM2MTokenResponse, error) { return s.grant(t.Context(), id, secret.Generate(), "") },
			"wrong client": func() (*gen.IssueM2MTokenResponse, error) {
				return s.grant(t.Context(), s.unknownID("m2m-client"), sec, "")
			},
			"no secret at all": func() (*gen.IssueM2MTokenResponse, error) {
				return s.issue(t.Context(), form, "grant_type=client_credentials")
			},
		} {
			_, err := ask()
			if !refused(err) {
				t.Errorf("%s: %v; want a refusal", name, err)
			}
			s.assumed(t, name+" is invalid_client", errors.Is(err, stytch.ErrUnauthorized), err)
		}
	})
}

const form = "application/x-www-form-urlencoded"

type grant struct {
	contentType, text string
	editors           []gen.RequestEditorFn
	assumed           bool
}

// grants are the ways in which a client may say who it is.
func (s *suite) grants(t reporter, id string, sec secret.String) map[string]grant {
	values := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {sec.Reveal()}}
	object, err := json.Marshal(map[string]string{"grant_type": "client_credentials", "client_id": id, "client_secret": sec.Reveal()})
	must(t, err, "encode")
	other := secret.Generate()
	return map[string]grant{
		"by Basic beside a form":           {form, "grant_type=client_credentials", basic(id, sec), false},
		"by Basic beside JSON":             {"application/json", `{"grant_type":"client_credentials"}`, basic(id, sec), false},
		"in a form":                        {form, values.Encode(), nil, false},
		"in JSON":                          {"application/json", string(object), nil, false},
		"in a form that wins over a Basic": {form, values.Encode(), basic(id, other), true},
	}
}

func basic(id string, sec secret.String) []gen.RequestEditorFn {
	return []gen.RequestEditorFn{func(_ context.Context, r *http.Request) error { r.SetBasicAuth(id, sec.Reveal()); return nil }}
}

// grant asks for a token by the generated methods, which authenticate with HTTP Basic.
func (s *suite) grant(ctx context.Context, id string, sec secret.String, scope string) (*gen.IssueM2MTokenResponse, error) {
	body := gen.IssueM2MTokenRequest{GrantType: gen.IssueM2MTokenRequestGrantTypeClientCredentials, Scope: scope}
	return s.issued(s.raw.IssueM2MTokenWithFormdataBodyWithResponse(ctx, s.api.ProjectID(), body, basic(id, sec)...))
}

func (s *suite) issue(ctx context.Context, contentType, body string, editors ...gen.RequestEditorFn) (*gen.IssueM2MTokenResponse, error) {
	return s.issued(s.raw.IssueM2MTokenWithBodyWithResponse(ctx, s.api.ProjectID(), contentType, strings.NewReader(body), editors...))
}

func (s *suite) issued(result *gen.IssueM2MTokenResult, err error) (*gen.IssueM2MTokenResponse, error) {
	if err != nil {
		return nil, err
	}
	if result.JSON200 == nil {
		return nil, errors.New("the response contains no token")
	}
	s.tokens.Add(1)
	return result.JSON200, nil
}

// checkSecret proves by a token request whether a secret works.
func (s *suite) checkSecret(t reporter, id string, sec secret.String, works bool) {
	t.Helper()
	switch _, err := s.grant(t.Context(), id, sec, ""); {
	case works:
		must(t, err, "ask for a token with a secret that works")
	case err == nil:
		t.Error("a token is given for a secret, or to a client, that must not get one")
	case !refused(err):
		t.Errorf("ask for a token that must not be given: %v; want a refusal", err)
	}
}

// unheldScope allows a refusal and a token without the scope. A token with it would be a hole.
func (s *suite) unheldScope(t reporter, id string, sec secret.String) {
	t.Helper()
	issued, err := s.grant(t.Context(), id, sec, "read:conformance root:conformance")
	s.assumed(t, "a scope that the client does not hold is refused", refused(err), err)
	switch {
	case err == nil:
		s.checkToken(t, issued, id, "read:conformance")
	case !refused(err):
		t.Errorf("ask for a scope that the client does not hold: %v; want a refusal", err)
	}
}

// claims of an M2M access token, as documented.
type claims struct {
	Audience  []string `json:"aud"`
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Scope     string   `json:"scope"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	Expires   int64    `json:"exp"`
}

const lifetime = 3600 // seconds

func (s *suite) checkToken(t reporter, issued *gen.IssueM2MTokenResponse, clientID, scope string) {
	t.Helper()
	if issued.TokenType != "bearer" || issued.ExpiresIn != lifetime {
		t.Errorf("the token is said to be of type %q for %d seconds", issued.TokenType, issued.ExpiresIn)
	}
	payload, err := verify(issued.AccessToken, s.keys)
	must(t, err, "verify a token by the key set")
	var c claims
	if json.Unmarshal(payload, &c) != nil {
		t.Fatal("the claims of the token are of other types than documented")
	}
	project := s.api.ProjectID()
	switch {
	case c.Subject != clientID:
		t.Errorf("sub is %q, want %q", c.Subject, clientID)
	case c.Scope != scope:
		t.Errorf("scope is %q, want %q", c.Scope, scope)
	case !slices.Contains(c.Audience, project): // a token template may add more
		t.Errorf("aud is %q, want %q in it", c.Audience, project)
	case c.Issuer != "stytch.com/"+project && c.Issuer != s.api.BaseURL() && c.Issuer != s.domain: // the others with a custom domain
		t.Errorf("iss is %q, want the project, its domain or the base URL", c.Issuer)
	case c.NotBefore != c.IssuedAt || c.Expires != c.IssuedAt+lifetime:
		t.Errorf("iat, nbf, exp are %d, %d, %d; want the same, and an hour later", c.IssuedAt, c.NotBefore, c.Expires)
	}
}

func decodeSegment(segment string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(segment)
}
