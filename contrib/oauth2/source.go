// Package oauth2 hands the tokens of package token to code that wants a golang.org/x/oauth2.TokenSource, such as gRPC's
// oauth.TokenSource and many API clients. Nobody else needs it: [token.Source.Transport] adds the token to HTTP requests by
// itself.
package oauth2

import (
	"context"

	xoauth2 "golang.org/x/oauth2"

	"github.com/stytchkit/m2m/stytch/token"
)

// TokenSource returns source as an [xoauth2.TokenSource] that is safe for concurrent use. It is for one context, because that
// interface knows none: when ctx ends, calls that wait for a token fail with its error, while tokens in memory are still handed
// out. Without a deadline in ctx a call waits for as long as source allows itself.
//
// Do not wrap it in [xoauth2.ReuseTokenSource] or use it with [xoauth2.NewClient], which does the same: that cache asks for a
// new token only after the old one ended, so that calls wait for it, one after another. Use [xoauth2.Transport].
//
// An [xoauth2.Token] is no secret to printers: fmt shows the token in it.
func TokenSource(ctx context.Context, source *token.Source) xoauth2.TokenSource {
	return tokenSource{ctx, source}
}

type tokenSource struct {
	ctx    context.Context
	source *token.Source
}

func (s tokenSource) Token() (*xoauth2.Token, error) {
	t, err := s.source.Token(s.ctx)
	if err != nil {
		return nil, err
	}
	return &xoauth2.Token{AccessToken: t.Value.Reveal(), TokenType: "Bearer", Expiry: t.Expiry}, nil
}
