package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
	"github.com/stytchkit/m2m/stytch/token"
)

const maxPEM = 4 << 20

// config reads what the flags name, except the store.
func (f *flags) config(ctx context.Context, app *cli.App) (c proxy.Config, err error) {
	if err := f.check(app); err != nil {
		return c, err
	}
	where, err := app.Project(ctx)
	if err != nil {
		return c, err
	}
	c = proxy.Config{
		Listen: f.listen, Admin: f.admin, TokenSocket: f.socket, AllowRemote: f.allowRemote, Hosts: f.hosts,
		UpstreamTimeout: f.upstreamTimeout, DrainTimeout: f.drainTimeout,
		ProjectID: where.ProjectID, BaseURL: where.BaseURL, Scopes: f.scopes, Log: f.logger(app),
	}
	if c.Routes, err = f.readRoutes(); err != nil {
		return c, err
	}
	if c.Credentials, err = f.readCredentials(ctx); err != nil {
		return c, err
	}
	if f.budget != "" {
		if c.Budget, err = parseBudget(f.budget); err != nil {
			return c, cli.Usagef("--budget: %w."+nothing, err)
		}
	}
	if c.MaxBodyReplay, err = parseSize(f.maxBodyReplay); err != nil {
		return c, cli.Usagef("--max-body-replay: %w."+nothing, err)
	}
	if c.MaxBodyReplay == 0 {
		c.MaxBodyReplay = -1
	}
	return c, f.readTLS(app, &c)
}

func (f *flags) check(app *cli.App) error {
	switch {
	case app.Flags.Output == cli.TSV:
		return cli.Usagef("-o: proxy prints table or json." + nothing)
	case f.logFormat != "" && f.logFormat != "text" && f.logFormat != "json":
		return cli.Usagef("--log: %q is neither text nor json."+nothing, f.logFormat)
	case (f.tlsCert == "") != (f.tlsKey == ""):
		return cli.Usagef("--tls-cert and --tls-key belong together: give both." + nothing)
	case f.allowRemote && (f.tlsCert == "" || f.clientCA == ""):
		return cli.Usagef("--allow-remote: remote callers must be known: give --tls-cert, --tls-key and --client-ca." + nothing)
	case f.store == "" && f.storePasswordFile != "":
		return cli.Usagef("--store-password-file needs --store." + nothing)
	case f.store == "" && f.storeKeyFile != "":
		return cli.Usagef("--store-key-file needs --store." + nothing)
	case f.upstreamTimeout == 0:
		return cli.Usagef("--upstream-timeout: it must be positive." + nothing)
	case f.drainTimeout == 0:
		return cli.Usagef("--drain-timeout: it must be positive." + nothing)
	}
	return nil
}

func (f *flags) readRoutes() (routes []proxy.Route, err error) {
	for _, text := range f.routes {
		prefix, upstream, ok := strings.Cut(text, "=")
		if !ok {
			return nil, cli.Usagef("--route: it must be PREFIX=URL, such as /billing=https://billing.internal." + nothing)
		}
		routes = append(routes, proxy.Route{Prefix: prefix, Upstream: upstream})
	}
	if f.upstream != "" {
		routes = append(routes, proxy.Route{Prefix: "/", Upstream: f.upstream})
	}
	if len(routes) == 0 {
		return nil, cli.Usagef("there is nowhere to forward to: give --upstream or --route." + nothing)
	}
	return routes, nil
}

// readCredentials also reads a file once, so that a wrong one is found now and not by a caller.
func (f *flags) readCredentials(ctx context.Context) (token.Credentials, error) {
	from, flag := token.Env(), "--credentials env"
	if f.credentials != "env" {
		from, flag = token.File(f.credentials), "--credentials"
	}
	found, err := from.Credential(ctx)
	switch {
	case err != nil:
		return nil, cli.Usagef("%s: %w."+nothing, flag, err)
	case (found.ClientID == "" || found.Secret.IsZero()) && f.credentials == "env":
		return nil, cli.Errorf(cli.Auth, "no client is known: give --credentials, or set STYTCH_CLIENT_ID and STYTCH_CLIENT_SECRET."+nothing)
	case found.ClientID == "" || found.Secret.IsZero():
		return nil, cli.Usagef("--credentials: %s lacks the client id or its secret."+nothing, f.credentials)
	}
	return from, nil
}

func (f *flags) readTLS(app *cli.App, c *proxy.Config) (err error) {
	if f.tlsCert != "" {
		pair, err := tls.LoadX509KeyPair(f.tlsCert, f.tlsKey)
		if err != nil {
			return cli.Usagef("--tls-cert and --tls-key: %w."+nothing, err)
		}
		c.Certificate = &pair
	}
	if f.clientCA != "" {
		if c.ClientCAs, err = readCAs(app, "--client-ca", f.clientCA, x509.NewCertPool()); err != nil {
			return err
		}
	}
	if f.tlsCA == "" {
		return nil
	}
	system, err := x509.SystemCertPool()
	if err != nil {
		return cli.Errorf(cli.Internal, "the CAs of the system: %w."+nothing, err)
	}
	c.RootCAs, err = readCAs(app, "--tls-ca", f.tlsCA, system)
	return err
}

// readCAs adds the certificates of a file to a pool.
func readCAs(app *cli.App, flag, name string, pool *x509.CertPool) (*x509.CertPool, error) {
	text, err := app.ReadFile(flag, name, maxPEM)
	if err != nil {
		return nil, err
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, cli.Usagef("%s: there is no certificate in PEM in it."+nothing, flag)
	}
	return pool, nil
}

// logger writes to stderr.
func (f *flags) logger(app *cli.App) *slog.Logger {
	options := &slog.HandlerOptions{}
	if app.Flags.Quiet {
		options.Level = slog.LevelWarn
	}
	if f.logFormat == "json" || f.logFormat == "" && app.Machine() {
		return slog.New(slog.NewJSONHandler(app.Err, options))
	}
	return slog.New(slog.NewTextHandler(app.Err, options))
}
