package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v3/jwk"
	jwxjwt "github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/stytchkit/m2m/stytch/verify"
)

// The peers, as columns of the table. Each checks algorithm, key id, signature, iss, aud, nbf, exp
// and one scope, with keys at hand, and has the custom claim ready for its caller.
const (
	ours   = "stytch/verify"
	golang = "golang-jwt"
	goJose = "go-jose"
	goOIDC = "go-oidc"
	jwx    = "jwx"
)

var verifiers = []string{ours, golang, goJose, goOIDC, jwx}

const (
	wanted = "read:users" // the scope
	leeway = 30 * time.Second
)

var (
	errScope = errors.New("scope")
	errKey   = errors.New("key")
)

type verifyFunc func(raw string) error

// keyServer answers every request with the key set, from memory.
type keyServer struct{ document []byte }

func (k keyServer) RoundTrip(r *http.Request) (*http.Response, error) {
	return answer(r, http.StatusOK, k.document), nil
}

// newPeers makes a verifier of each kind. options are for ours.
func newPeers(s *signer, options ...verify.Option) map[string]verifyFunc {
	v := newVerifier(s, options...)
	return map[string]verifyFunc{
		ours: v, golang: newGolangJWT(s), goJose: newGoJose(s), goOIDC: newGoOIDC(s), jwx: newJWX(s),
	}
}

func newVerifier(s *signer, options ...verify.Option) verifyFunc {
	document := s.jwks()
	v, err := verify.New(project, append([]verify.Option{
		verify.WithKeys(document), verify.WithHTTPClient(&http.Client{Transport: keyServer{document}}),
	}, options...)...)
	must(err)
	ctx, check := context.Background(), verify.AllScopes(wanted)
	return func(raw string) error {
		_, err := v.Verify(ctx, raw, check)
		return err
	}
}

// withClaim also decodes the custom claim, which ours keeps as JSON until it is asked for.
func withClaim(s *signer) verifyFunc {
	v, err := verify.New(project, verify.WithKeys(s.jwks()), verify.WithOffline(), verify.WithCache(0))
	must(err)
	ctx, check := context.Background(), verify.AllScopes(wanted)
	return func(raw string) error {
		claims, err := v.Verify(ctx, raw, check)
		if err != nil {
			return err
		}
		var custom struct {
			Tenant string `json:"https://example.com/tenant"`
		}
		return claims.Decode(&custom)
	}
}

// newFloor is the least that has to be done for a token: decode it, hash it, check the signature.
func newFloor(s *signer, token string) func(int) {
	raw := []byte(token)
	first, second := strings.IndexByte(token, '.'), strings.LastIndexByte(token, '.')
	buffers := sync.Pool{New: func() any { b := make([]byte, 0, len(token)); return &b }}
	return func(int) {
		b := buffers.Get().(*[]byte)
		defer buffers.Put(b)
		header, err := base64.RawURLEncoding.AppendDecode((*b)[:0], raw[:first])
		must(err)
		payload, err := base64.RawURLEncoding.AppendDecode(header, raw[first+1:second])
		must(err)
		all, err := base64.RawURLEncoding.AppendDecode(payload, raw[second+1:])
		must(err)
		digest := sha256.Sum256(raw[:second])
		must(rsa.VerifyPKCS1v15(&s.public, crypto.SHA256, digest[:], all[len(payload):]))
	}
}

// newGolangJWT also stands in for the official Go SDK, which uses it with these options.
func newGolangJWT(s *signer) verifyFunc {
	keys := map[string]any{keyID: &s.public}
	find := func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		if key := keys[kid]; key != nil {
			return key, nil
		}
		return nil, errKey
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(issuer), jwt.WithAudience(project), jwt.WithLeeway(leeway),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithStrictDecoding(),
	)
	return func(raw string) error {
		claims := jwt.MapClaims{}
		if _, err := parser.ParseWithClaims(raw, claims, find); err != nil {
			return err
		}
		scope, _ := claims["scope"].(string)
		return hasScope(scope)
	}
}

type customClaims struct {
	Scope  string `json:"scope"`
	Tenant string `json:"https://example.com/tenant"`
}

func newGoJose(s *signer) verifyFunc {
	var set jose.JSONWebKeySet
	must(json.Unmarshal(s.jwks(), &set))
	algorithms := []jose.SignatureAlgorithm{jose.RS256}
	return func(raw string) error {
		t, err := josejwt.ParseSigned(raw, algorithms)
		if err != nil {
			return err
		}
		keys := set.Key(t.Headers[0].KeyID)
		if len(keys) != 1 {
			return errKey
		}
		var claims josejwt.Claims
		var custom customClaims
		if err := t.Claims(keys[0].Key, &claims, &custom); err != nil {
			return err
		}
		expected := josejwt.Expected{Issuer: issuer, AnyAudience: josejwt.Audience{project}, Time: time.Now()}
		if err := claims.ValidateWithLeeway(expected, leeway); err != nil {
			return err
		}
		return hasScope(custom.Scope)
	}
}

func newGoOIDC(s *signer) verifyFunc {
	ctx := oidc.ClientContext(context.Background(), &http.Client{Transport: keyServer{s.jwks()}})
	v := oidc.NewVerifier(issuer, oidc.NewRemoteKeySet(ctx, "https://test.stytch.com/keys"),
		&oidc.Config{ClientID: project, SupportedSigningAlgs: []string{oidc.RS256}})
	return func(raw string) error {
		t, err := v.Verify(ctx, raw)
		if err != nil {
			return err
		}
		var custom customClaims
		if err := t.Claims(&custom); err != nil {
			return err
		}
		return hasScope(custom.Scope)
	}
}

func newJWX(s *signer) verifyFunc {
	set, err := jwk.Parse(s.jwks())
	must(err)
	options := []jwxjwt.ParseOption{
		jwxjwt.WithKeySet(set), jwxjwt.WithIssuer(issuer), jwxjwt.WithAudience(project), jwxjwt.WithAcceptableSkew(leeway),
		jwxjwt.WithRequiredClaim("exp"),
	}
	return func(raw string) error {
		t, err := jwxjwt.ParseString(raw, options...)
		if err != nil {
			return err
		}
		var scope, custom string
		if t.Get("scope", &scope) != nil || t.Get(tenant, &custom) != nil {
			return errScope
		}
		return hasScope(scope)
	}
}

func hasScope(granted string) error {
	if slices.Contains(strings.Fields(granted), wanted) {
		return nil
	}
	return errScope
}

// must ends the run: a benchmark that does not do its work measures nothing.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
