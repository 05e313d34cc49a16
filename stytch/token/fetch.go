package token

import (
	"context"
	"time"
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
	logins := f.minter.accepted.logins(c)
	mint := func(ctx context.Context, stored storedFunc) (minted, error) {
		return f.minter.mint(ctx, logins, r, stored)
	}
	if f.shared == nil {
		m, err := mint(ctx, func(context.Context, login) (issuedToken, bool) { return issuedToken{}, false })
		return m.issuedToken, false, err
	}
	return f.shared.token(ctx, wanted{
		baseURL: f.baseURL, project: f.project, request: r, logins: logins, replaced: replaced(), minLife: f.minLife,
	}, mint)
}
