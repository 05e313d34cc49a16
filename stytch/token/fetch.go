package token

import (
	"context"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// fetcher gets new tokens: from the shared store, if there is one, and otherwise from Stytch.
type fetcher struct {
	minter  *minter
	shared  *sharedStore // nil without WithStore
	baseURL string
	project string
	minLife time.Duration
}

// fetch gets a token. replaced returns the one that it is to replace, which may be the zero value.
func (f *fetcher) fetch(ctx context.Context, r request, replaced func() issuedToken) (t issuedToken, fromStore bool, err error) {
	c, err := f.minter.credential(ctx)
	if err != nil {
		return issuedToken{}, false, err
	}
	mint := func(ctx context.Context) (issuedToken, error) { return f.minter.mint(ctx, c, r) }
	if f.shared == nil {
		t, err := mint(ctx)
		return t, false, err
	}
	return f.shared.token(ctx, wanted{
		key:     cacheKey(f.baseURL, f.project, c.ClientID, r.scopes, r.parameters),
		project: f.project, client: c.ClientID, secrets: []secret.String{c.Secret, c.Next},
		replaced: replaced(), minLife: f.minLife,
	}, mint)
}
