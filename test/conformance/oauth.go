package conformance

import (
	"context"
	"errors"
	"net/url"
	"reflect"
	"strings"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// authorizationServer checks what the project offers to those without its secret. The base URL need
// not be that of the project's domain, so whatever is said there is only observed in a live run.
func (s *suite) authorizationServer(t reporter) {
	t.Run("metadata", s.metadata)
	t.Run("unknown tokens", s.unknownTokens)
	t.Run("M2M tokens", s.introspectM2M)
	t.Run("domain", s.tokensOnDomain)
	t.Run("registration", s.registration)
}

func (s *suite) metadata(t reporter) {
	openID, err := s.raw.GetOpenIDConfigurationWithResponse(t.Context(), s.api.ProjectID())
	s.assumed(t, "there is OpenID metadata of a project", err == nil, err)
	if err == nil {
		checkIssuer(t, openID.JSON200.Issuer, openID.JSON200.TokenEndpoint, openID.JSON200.JWKSURI)
	}
	openIDOnDomain, err := s.raw.GetOpenIDConfigurationOnProjectDomainWithResponse(t.Context())
	s.assumed(t, "there is OpenID metadata at a domain", err == nil, err)
	if err == nil {
		s.domain = openIDOnDomain.JSON200.Issuer
		checkIssuer(t, s.domain, openIDOnDomain.JSON200.TokenEndpoint, openIDOnDomain.JSON200.JWKSURI)
	}
	server, err := s.raw.GetAuthorizationServerMetadataWithResponse(t.Context(), s.api.ProjectID())
	s.assumed(t, "there is OAuth metadata of a project", err == nil, err)
	if err == nil {
		checkIssuer(t, server.JSON200.Issuer, server.JSON200.TokenEndpoint)
	}
	serverOnDomain, err := s.raw.GetAuthorizationServerMetadataOnProjectDomainWithResponse(t.Context())
	s.assumed(t, "there is OAuth metadata at a domain", err == nil, err)
	if err == nil {
		checkIssuer(t, serverOnDomain.JSON200.Issuer, serverOnDomain.JSON200.TokenEndpoint)
	}
	keys, err := s.raw.GetWellKnownJWKSWithResponse(t.Context(), s.api.ProjectID())
	s.assumed(t, "the keys are at the well-known address of a project", err == nil && reflect.DeepEqual(keys.JSON200.Keys, s.keys), err)
	keysOnDomain, err := s.raw.GetWellKnownJWKSOnProjectDomainWithResponse(t.Context())
	s.assumed(t, "the keys are at the well-known address of a domain", err == nil && reflect.DeepEqual(keysOnDomain.JSON200.Keys, s.keys), err)
}

// checkIssuer wants addresses below an issuer, as documented.
func checkIssuer(t reporter, issuer string, addresses ...string) {
	t.Helper()
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || strings.HasSuffix(issuer, "/") {
		t.Errorf("the issuer is %q, want the address of a host", issuer)
	}
	for _, address := range addresses {
		if !strings.HasPrefix(address, issuer+"/") {
			t.Errorf("%q is not below the issuer %q", address, issuer)
		}
	}
}

// unknownTokens asks about a token that is none, which a Connected App may do (documented).
func (s *suite) unknownTokens(t reporter) {
	confidential := s.newApp(t, stytch.ConnectedAppCreate{ClientType: stytch.ThirdParty})
	public := s.newApp(t, stytch.ConnectedAppCreate{ClientType: stytch.ThirdPartyPublic})
	for name, r := range map[string]stytch.TokenRequest{
		"confidential": {Token: secret.New("not-a-token"), ClientID: confidential.ClientID, ClientSecret: confidential.ClientSecret},
		"public":       {Token: secret.New("not-a-token"), ClientID: public.ClientID},
	} {
		active, err := s.api.OAuth.Introspect(t.Context(), r)
		must(t, err, "introspect as a "+name+" app")
		if active {
			t.Errorf("an unknown token is active for a %s app", name)
		}
		err = s.api.OAuth.Revoke(t.Context(), r)
		s.assumed(t, "revoking an unknown token succeeds", err == nil, err)
	}
	r := stytch.TokenRequest{Token: secret.New("not-a-token"), ClientID: confidential.ClientID, ClientSecret: confidential.ClientSecret}
	onDomain, err := s.raw.IntrospectTokenOnProjectDomainWithBodyWithResponse(t.Context(), form, strings.NewReader(tokenForm(r)))
	s.assumed(t, "a domain introspects tokens of apps", err == nil && !onDomain.JSON200.Active, err)
	_, err = s.raw.RevokeTokenOnProjectDomainWithBodyWithResponse(t.Context(), form, strings.NewReader(tokenForm(r)))
	s.assumed(t, "a domain revokes tokens of apps", err == nil, err)

	r.ClientSecret = secret.Generate()
	if active, err := s.api.OAuth.Introspect(t.Context(), r); active || !refused(err) {
		t.Errorf("introspect with a wrong secret: %t, %v; want a refusal", active, err)
	}
	if err := s.api.OAuth.Revoke(t.Context(), r); !refused(err) {
		t.Errorf("revoke with a wrong secret: %v; want a refusal", err)
	}
}

// introspectM2M asks about the token of an M2M client, which is assumed to be possible. If it is, a
// revoked token must not be active.
func (s *suite) introspectM2M(t reporter) {
	created, other := s.newM2M(t, stytch.M2MCreate{}), s.newM2M(t, stytch.M2MCreate{})
	issued, err := s.grant(t.Context(), created.ClientID, created.ClientSecret, "read:conformance")
	must(t, err, "ask for a token")
	r := stytch.TokenRequest{Token: issued.AccessToken, ClientID: created.ClientID, ClientSecret: created.ClientSecret}
	active, err := s.api.OAuth.Introspect(t.Context(), r)
	s.assumed(t, "an M2M client may introspect its token", err == nil && active, err)
	if active {
		s.checkIntrospection(t, r)
	}
	foreign, err := s.api.OAuth.Introspect(t.Context(), stytch.TokenRequest{Token: issued.AccessToken, ClientID: other.ClientID, ClientSecret: other.ClientSecret})
	s.assumed(t, "a client learns nothing about the token of another one", err == nil && !foreign, err)

	err = s.api.OAuth.Revoke(t.Context(), r)
	s.assumed(t, "an M2M client may revoke its token", err == nil, err)
	if err == nil {
		if active, err := s.api.OAuth.Introspect(t.Context(), r); active {
			t.Errorf("a token is active after it was revoked (%v)", err)
		}
	}
}

func (s *suite) checkIntrospection(t reporter, r stytch.TokenRequest) {
	t.Helper()
	result, err := s.raw.IntrospectTokenWithBodyWithResponse(t.Context(), s.api.ProjectID(), form, strings.NewReader(tokenForm(r)))
	must(t, err, "introspect a token")
	got := result.JSON200
	if got == nil || !got.Active || text(got.Sub) != r.ClientID || text(got.Scope) != "read:conformance" ||
		got.Exp == nil || got.Iat == nil || *got.Exp != *got.Iat+lifetime {
		t.Errorf("the token is introspected as %s", show(got))
	}
}

func tokenForm(r stytch.TokenRequest) string {
	values := url.Values{"token": {r.Token.Reveal()}, "client_id": {r.ClientID}, "client_secret": {r.ClientSecret.Reveal()}}
	return values.Encode()
}

// tokensOnDomain does at the addresses of a project's domain what the others do at those of the
// API.
func (s *suite) tokensOnDomain(t reporter) {
	created := s.newM2M(t, stytch.M2MCreate{})
	body := gen.IssueM2MTokenRequest{GrantType: gen.IssueM2MTokenRequestGrantTypeClientCredentials, Scope: "read:conformance"}
	result, err := s.raw.IssueM2MTokenOnProjectDomainWithFormdataBodyWithResponse(t.Context(), body, basic(created.ClientID, created.ClientSecret)...)
	s.assumed(t, "a domain issues tokens", err == nil, err)
	if err != nil {
		return
	}
	s.tokens.Add(1)
	issued := result.JSON200
	s.checkToken(t, issued, created.ClientID, "read:conformance")
	r := stytch.TokenRequest{Token: issued.AccessToken, ClientID: created.ClientID, ClientSecret: created.ClientSecret}
	before, err := s.raw.IntrospectTokenOnProjectDomainWithBodyWithResponse(t.Context(), form, strings.NewReader(tokenForm(r)))
	s.assumed(t, "a domain introspects tokens", err == nil && before.JSON200.Active, err)
	_, err = s.raw.RevokeTokenOnProjectDomainWithBodyWithResponse(t.Context(), form, strings.NewReader(tokenForm(r)))
	s.assumed(t, "a domain revokes tokens", err == nil, err)
	if err != nil {
		return
	}
	after, err := s.raw.IntrospectTokenOnProjectDomainWithBodyWithResponse(t.Context(), form, strings.NewReader(tokenForm(r)))
	if err == nil && after.JSON200.Active {
		t.Error("a token is active after it was revoked at the domain")
	}
}

// registration is for projects that allow it, at the address of their domain.
func (s *suite) registration(t reporter) {
	public := stytch.AppRegistration{ClientName: s.name(), ClientURI: "https://a.example.com/about", RedirectURIs: []string{"https://a.example.com/callback"}}
	first, err := s.register(t, public)
	var refusal *stytch.Error
	if errors.Is(err, stytch.ErrInvalidArgument) || errors.As(err, &refusal) && (refusal.Type == "dynamic_client_registration_not_enabled" || refusal.Type == "route_not_found") {
		t.Logf("observed: no dynamic client registration: %v", err)
		return
	}
	must(t, err, "register a public app")
	again, err := s.register(t, public)
	must(t, err, "register it again")
	if again.ClientID != first.ClientID || !first.ClientSecret.IsZero() {
		t.Errorf("registered %s and then %s; want the same public app", show(first), show(again))
	}
	confidential := stytch.AppRegistration{ClientName: s.name(), RedirectURIs: public.RedirectURIs, TokenEndpointAuthMethod: gen.TokenEndpointAuthMethodClientSecretBasic}
	one, err := s.register(t, confidential)
	must(t, err, "register a confidential app")
	two, err := s.register(t, confidential)
	must(t, err, "register another one")
	if one.ClientID == two.ClientID || one.ClientSecret.IsZero() || one.ClientSecret.Equal(two.ClientSecret) {
		t.Errorf("registered %s and %s; want two apps with secrets of their own", show(one), show(two))
	}
	for id, want := range map[string]stytch.ConnectedAppType{first.ClientID: stytch.ThirdPartyPublic, one.ClientID: stytch.ThirdParty} {
		app, err := s.api.ConnectedApps.Get(t.Context(), id)
		must(t, err, "get a registered app")
		if app.ClientType != want || !s.owns(app.ClientName) || !same(app.RedirectURLs, public.RedirectURIs) {
			t.Errorf("a registered app is %s, want the type %s, its name and its redirects", show(app), want)
		}
	}
	_, err = s.api.OAuth.Introspect(t.Context(), stytch.TokenRequest{Token: secret.New("not-a-token"), ClientID: one.ClientID, ClientSecret: one.ClientSecret})
	must(t, err, "authenticate as a registered app")
}

// register removes the app when the test ends, even if its response is lost.
func (s *suite) register(t reporter, r stytch.AppRegistration) (*stytch.RegisteredApp, error) {
	t.Helper()
	s.atEnd(t, func(ctx context.Context) error { return s.sweepApps(ctx, r.ClientName) })
	return s.api.OAuth.Register(t.Context(), r)
}
