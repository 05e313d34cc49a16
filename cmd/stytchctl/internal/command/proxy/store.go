package proxy

import (
	"context"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
	"github.com/stytchkit/m2m/contrib/redis"
	"github.com/stytchkit/m2m/internal/seal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// openStore puts the shared store into a config. It does not connect: a store that is down costs
// tokens, not requests.
func (f *flags) openStore(app *cli.App, c *proxy.Config) (closeStore func(), err error) {
	options, err := f.storeOptions(app)
	if err != nil {
		return nil, err
	}
	if f.storeKeyFile != "" {
		key, err := app.ReadSecret("--store-key-file", f.storeKeyFile)
		if err != nil {
			return nil, err
		}
		if len(key.Reveal()) < seal.MinKeyLength {
			return nil, cli.Usagef("--store-key-file: the key must have at least %d characters, chosen at random."+nothing, seal.MinKeyLength)
		}
		c.StoreKeys = []secret.String{key}
	}
	goredis.SetLogger(silent{}) // the log of the proxy has what the store does not do
	client := goredis.NewClient(options)
	store, err := redis.NewStore(client)
	if err != nil {
		_ = client.Close()
		return nil, cli.Usagef("--store: %w."+nothing, err)
	}
	c.Store = store
	return func() { _ = client.Close() }, nil
}

// storeOptions reads the address and the password of the store. Their errors quote nothing.
func (f *flags) storeOptions(app *cli.App) (*goredis.Options, error) {
	if !strings.HasPrefix(f.store, "redis://") && !strings.HasPrefix(f.store, "rediss://") {
		return nil, cli.Usagef("--store: it must be redis://host:port or rediss://host:port." + nothing)
	}
	options, err := goredis.ParseURL(f.store)
	switch {
	case err != nil:
		return nil, cli.Usagef("--store: it cannot be read: it must be redis://host:port or rediss://host:port." + nothing)
	case options.Password != "":
		return nil, cli.Usagef("--store: other users of this machine see arguments: take the password out, and give --store-password-file." + nothing)
	}
	if f.storePasswordFile != "" {
		password, err := app.ReadSecret("--store-password-file", f.storePasswordFile)
		if err != nil {
			return nil, err
		}
		options.Password = password.Reveal()
	}
	return options, nil
}

// silent is a log that is not written.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
