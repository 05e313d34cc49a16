package stytch

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/stytchkit/m2m/internal/fastjson"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/stytch/secret"
)

// OAuth is a client of the project's authorization server, for those who do not have the secret of
// the project: it never sends one. Package token requests tokens there, and package verify reads
// the keys. It is safe for concurrent use.
type OAuth struct {
	introspect, revoke func(ctx context.Context, contentType string, body *strings.Reader) (*http.Response, error)

	sender *sender
	atBase bool // the base URL is that of the project's domain, or of a local Stytch
}

// NewOAuth is [New] without the secret of the project, for what Client.OAuth does.
func NewOAuth(projectID string, options ...Option) (*OAuth, error) {
	if err := project.CheckID(projectID); err != nil {
		return nil, invalid("", "%v", err)
	}
	settings, err := newSettings(options)
	if err != nil {
		return nil, err
	}
	s, err := newSender(projectID, "", settings.base, settings)
	if err != nil {
		return nil, err
	}
	return newOAuth(s)
}

// newOAuth shares a sender, unless the domain of the project is known: it has paths of its own.
func newOAuth(s *sender) (*OAuth, error) {
	if s.settings.domain == nil {
		return &OAuth{
			introspect: func(ctx context.Context, contentType string, body *strings.Reader) (*http.Response, error) {
				return s.api.IntrospectTokenWithBody(ctx, s.projectID, contentType, body)
			},
			revoke: func(ctx context.Context, contentType string, body *strings.Reader) (*http.Response, error) {
				return s.api.RevokeTokenWithBody(ctx, s.projectID, contentType, body)
			},
			sender: s, atBase: s.settings.base != nil,
		}, nil
	}
	s, err := newSender(s.projectID, s.secret.Reveal(), s.settings.domain, s.settings)
	if err != nil {
		return nil, err
	}
	return &OAuth{
		introspect: func(ctx context.Context, contentType string, body *strings.Reader) (*http.Response, error) {
			return s.api.IntrospectTokenOnProjectDomainWithBody(ctx, contentType, body)
		},
		revoke: func(ctx context.Context, contentType string, body *strings.Reader) (*http.Response, error) {
			return s.api.RevokeTokenOnProjectDomainWithBody(ctx, contentType, body)
		},
		sender: s, atBase: true,
	}, nil
}

// TokenRequest is a token, and the client that asks about it.
type TokenRequest struct {
	Token        secret.String // an access token or a refresh token
	ClientID     string        // of the client that the token was issued to
	ClientSecret secret.String // of that client; zero for a public Connected App
}

// Introspect asks Stytch whether a token is active: not expired, and not revoked (RFC 7662). With
// an error, nothing is known about the token; that never means that it is active.
//
// It returns no claims: verify the token with package verify first, which also distinguishes the
// token of a machine from that of a user. Stytch documents introspection for Connected Apps; that
// it accepts the tokens of M2M clients is assumed.
func (o *OAuth) Introspect(ctx context.Context, r TokenRequest) (active bool, err error) {
	form, err := r.form(operation.IntrospectToken)
	if err != nil {
		return false, err
	}
	resp, err := asResponse(o.introspect(ctx, formType, form))
	if err != nil {
		return false, err
	}
	defer resp.Close()
	if err := resp.check(); err != nil {
		return false, err
	}
	// Names are compared exactly, and each may be there once: encoding/json is more lenient.
	switch value := string(fastjson.FindOnly(resp.Bytes(), `"active"`)); {
	case strings.HasPrefix(value, "true"):
		return true, nil
	case strings.HasPrefix(value, "false"):
		return false, nil
	}
	return false, resp.invalid(errNotSaid)
}

var errNotSaid = errors.New("the response does not say once whether the token is active")

// Revoke makes a token inactive (RFC 7009); with a refresh token, its access token as well. A token
// that is not active is no error, and neither is one that Stytch does not know. Verifiers that do
// not introspect accept a revoked access token until it expires. That Stytch revokes the tokens of
// M2M clients is assumed.
func (o *OAuth) Revoke(ctx context.Context, r TokenRequest) error {
	form, err := r.form(operation.RevokeToken)
	if err != nil {
		return err
	}
	resp, err := asResponse(o.revoke(ctx, formType, form))
	if err != nil {
		return err
	}
	defer resp.Close()
	return resp.check()
}

const formType = "application/x-www-form-urlencoded"

// form has the credentials in the body: there, unlike in HTTP Basic, every character has only one
// encoding.
func (r TokenRequest) form(op *operation.Operation) (*strings.Reader, error) {
	if r.Token.IsZero() {
		return nil, invalid(op.ID, "Token must not be empty")
	}
	if err := project.CheckClientID(r.ClientID); err != nil {
		return nil, invalid(op.ID, "%v", err)
	}
	form := url.Values{"token": {r.Token.Reveal()}, "client_id": {r.ClientID}}
	if !r.ClientSecret.IsZero() {
		if err := project.CheckClientSecret(r.ClientSecret.Reveal()); err != nil {
			return nil, invalid(op.ID, "%v", err)
		}
		form.Set("client_secret", r.ClientSecret.Reveal())
	}
	return strings.NewReader(form.Encode()), nil
}

// Register creates a Connected App for anyone who runs this program, without credentials (RFC
// 7591), if the project allows that. It needs [WithProjectDomain], or [WithBaseURL] with that
// address.
//
// An app is public unless TokenEndpointAuthMethod says otherwise. A public app with the metadata of
// an earlier one gets its id. A confidential one is always new, and gets a secret that is never
// shown again. Therefore a lost response is [ErrOutcomeUnknown] for both. An app that is returned
// with an [ErrInvalidResponse] exists; see M2M.Create.
func (o *OAuth) Register(ctx context.Context, r AppRegistration) (*RegisteredApp, error) {
	op := operation.RegisterConnectedApp
	switch {
	case !o.atBase:
		return nil, invalid(op.ID, "the domain of the project is not known: use WithProjectDomain")
	case len(r.RedirectURIs) == 0:
		return nil, invalid(op.ID, "RedirectURIs must not be empty")
	}
	public := r.TokenEndpointAuthMethod == "" || string(r.TokenEndpointAuthMethod) == noAuthMethod
	resp, err := o.sender.api.RegisterConnectedApp(ctx, r)
	out, err := decodeSecret(resp, err, func(out *RegisteredApp) (*string, *secret.String) {
		return &out.ClientID, &out.ClientSecret
	}, func(out *RegisteredApp) bool { return out.ClientID != "" && (public || !out.ClientSecret.IsZero()) })
	return out, err
}
