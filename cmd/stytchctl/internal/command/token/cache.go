package token

import (
	"context"
	"errors"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/tokencache"
	"github.com/stytchkit/m2m/internal/seal"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

// openCache are the options that --cache stands for.
func openCache(ctx context.Context, app *cli.App, f *getFlags, credentials token.Credentials) ([]token.Option, error) {
	if f.cache == "" {
		if f.cacheKey != "" {
			return nil, cli.Usagef("--cache-key-file needs --cache. Nothing was sent.")
		}
		return nil, nil
	}
	keys, err := cacheKeys(ctx, app, f, credentials)
	if err != nil {
		return nil, err
	}
	file, err := tokencache.Open(f.cache, app.Now, func() { app.Note("The token cache %s was damaged. It is replaced.", f.cache) })
	if err != nil {
		return nil, cli.Usagef("--cache: %w. Nothing was sent.", err)
	}
	report := func(_ context.Context, event token.Event) {
		switch {
		case event.Kind != token.StoreFailed:
		case errors.Is(event.Err, token.ErrStoreValue):
			app.Note("A token in the cache %s was damaged. It is replaced.", f.cache)
		default:
			app.Warn("the token cache %s was not used: %v", f.cache, event.Err)
		}
	}
	return []token.Option{token.WithStore(file, keys...), token.WithObserver(report)}, nil
}

// cacheKeys are the keys of --cache-key-file, or none: then they are derived from the secrets,
// which must be long enough.
func cacheKeys(ctx context.Context, app *cli.App, f *getFlags, credentials token.Credentials) ([]secret.String, error) {
	if f.cacheKey != "" {
		key, err := app.ReadSecret("--cache-key-file", f.cacheKey)
		if err != nil {
			return nil, err
		}
		if len(key.Reveal()) < seal.MinKeyLength {
			return nil, cli.Usagef("--cache-key-file: the key must have at least %d characters, chosen at random. Nothing was sent.", seal.MinKeyLength)
		}
		return []secret.String{key}, nil
	}
	c, err := credentials.Credential(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range []secret.String{c.Secret, c.Next} {
		if !s.IsZero() && len(s.Reveal()) < seal.MinKeyLength {
			return nil, cli.Usagef("--cache: the client's secret has fewer than %d characters, so that anyone with the file could guess it: give --cache-key-file. Nothing was sent.", seal.MinKeyLength)
		}
	}
	return nil, nil
}
