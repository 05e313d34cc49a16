// Package oauth2 adapts the tokens of package token to code that needs a
// golang.org/x/oauth2.TokenSource, such as gRPC's oauth.TokenSource and many API clients. Other
// code does not need it: [token.Source.Transport] adds the token to HTTP requests.
package oauth2

import (
	"context"
	"fmt"

	xoauth2 "golang.org/x/oauth2"

	"github.com/stytchkit/m2m/stytch/token"
)

// TokenSource returns source as an [xoauth2.TokenSource] that is safe for concurrent use. It is
// bound to ctx, because that interface takes no context: when ctx ends, calls that wait for a token
// fail with its error, while cached tokens are still handed out. Without a deadline in ctx, a call
// waits as long as the timeouts of source allow.
//
// Do not wrap it in [xoauth2.ReuseTokenSource], and do not use it with [xoauth2.NewClient], which
// does so: that cache requests a new token only after the previous one has expired, so that calls
// wait for it. Use [xoauth2.Transport].
//
// An [xoauth2.Token] does not hide its value: fmt prints it.
//
// A nil ctx or source makes every call fail with [token.ErrInvalidArgument].
func TokenSource(ctx context.Context, source *token.Source) xoauth2.TokenSource {
	return tokenSource{ctx, source}
}

type tokenSource struct {
	ctx    context.Context
	source *token.Source
}

// Token implements [xoauth2.TokenSource].
func (s tokenSource) Token() (*xoauth2.Token, error) {
	if s.ctx == nil {
		return nil, fmt.Errorf("oauth2: TokenSource: context must not be nil: %w", token.ErrInvalidArgument)
	}
	t, err := s.source.Token(s.ctx)
	if err != nil {
		return nil, err
	}
	return &xoauth2.Token{AccessToken: t.Value.Reveal(), TokenType: "Bearer", Expiry: t.Expiry}, nil
}
