package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/vectors"
	"github.com/stytchkit/m2m/stytch/verify"
)

type tokenVectors struct {
	Issuer    string
	JWKS      json.RawMessage
	Now       int64
	ProjectID string `json:"project_id"`
	Cases     []struct{ ID, Class, Name, Expect, Token string }
}

func readTokens(t testing.TB) (file tokenVectors) {
	t.Helper()
	vectors.Read(t, "tokens.json", &file)
	return file
}

func (file tokenVectors) verifier(t testing.TB, more ...verify.Option) *verify.Verifier {
	t.Helper()
	v, err := verify.New(file.ProjectID, append([]verify.Option{
		verify.WithKeys(file.JWKS), verify.WithOffline(), verify.WithLeeway(0),
		verify.WithClock(func() time.Time { return time.Unix(file.Now, 0) })}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// because is the error that each class of bad tokens must have; a few cases of a class have
// another.
var because = map[string][]error{
	"forgery":   {verify.ErrAlgorithm, verify.ErrMalformed, verify.ErrUnknownKey, verify.ErrSignature},
	"alg":       {verify.ErrAlgorithm, verify.ErrUnknownKey, verify.ErrSignature},
	"signature": {verify.ErrSignature},
	"encoding":  {verify.ErrMalformed},
	"header":    {verify.ErrMalformed, verify.ErrAlgorithm, verify.ErrKind},
	"confusion": {verify.ErrKind, verify.ErrMalformed, verify.ErrAudience},
	"policy":    {verify.ErrKind, verify.ErrLifetime, verify.ErrMalformed},
	"claims": {verify.ErrMalformed, verify.ErrExpired, verify.ErrNotYetValid, verify.ErrAudience, verify.ErrIssuer,
		verify.ErrLifetime},
}

func TestTokenVectors(t *testing.T) {
	file := readTokens(t)
	if len(file.Cases) != 133 {
		t.Fatalf("%d cases, want 133", len(file.Cases))
	}
	for name, v := range map[string]*verify.Verifier{
		"cache": file.verifier(t), "no cache": file.verifier(t, verify.WithCache(0)),
		"imported ids": file.verifier(t, verify.WithClientIDFunc(func(id string) bool { return true })),
	} {
		for _, c := range file.Cases {
			for range 2 { // the second time may be answered from the cache
				claims, err := v.Verify(context.Background(), c.Token)
				if (claims.Subject == "") == (err == nil) {
					t.Errorf("%s %s: claims and error together, or neither", name, c.ID)
				}
				switch {
				case c.Expect == "accept" && err != nil:
					t.Errorf("%s %s (%s): refused: %v", name, c.ID, c.Name, err)
				case c.Expect == "either" && err == nil && (len(claims.Scopes()) != 2 || claims.HasScope("admin:x") || claims.ExpiresAt.Unix() != 1767229140):
					t.Errorf("%s %s (%s): a claim was taken from its other spelling", name, c.ID, c.Name)
				case c.Expect == "reject" || c.Expect == "reject-by-default":
					if err == nil && (c.Expect == "reject" || name != "imported ids" || c.Class != "policy") {
						t.Errorf("%s %s (%s): accepted", name, c.ID, c.Name)
					} else if err != nil && !isAny(err, because[c.Class]) {
						t.Errorf("%s %s (%s): unexpected kind of error: %v", name, c.ID, c.Name, err)
					}
				}
			}
		}
	}
}

func isAny(err error, kinds []error) bool {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

func TestTokenVectorsClaims(t *testing.T) {
	file := readTokens(t)
	v := file.verifier(t)
	for _, c := range file.Cases {
		if c.Name != "custom claims" {
			continue
		}
		claims, err := v.Verify(context.Background(), c.Token)
		if err != nil {
			t.Fatal(err)
		}
		var custom struct {
			Big    json.Number `json:"big"`
			Tier   string      `json:"tier"`
			Nested struct {
				A []any `json:"a"`
			} `json:"nested"`
			Sub string `json:"sub"`
		}
		if err := claims.Decode(&custom); err != nil {
			t.Fatal(err)
		}
		if custom.Big != "12345678901234567890" || custom.Tier != "gold" || len(custom.Nested.A) != 4 || custom.Sub != "" {
			t.Errorf("custom claims: %+v", custom)
		}
		if claims.Kind != verify.M2M || claims.ClientID != claims.Subject || claims.Issuer != file.Issuer ||
			len(claims.Audience()) != 1 || claims.Audience()[0] != file.ProjectID || !claims.IssuedAt.Equal(time.Unix(1767225540, 0)) {
			t.Errorf("claims: %+v", claims)
		}
	}
}
