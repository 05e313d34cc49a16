// Package proxy has the command that serves the token proxy.
package proxy

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
)

const long = `Forwards requests to APIs and adds an access token of an M2M client to each, for services in
any language: they call the proxy on the loopback interface, without a token. It runs until it
is interrupted, or --timeout is over. Then it accepts no more requests, lets those in progress
end, closes WebSockets, and exits with 0, or with 8 if some had to be cut.

Routes. --upstream is the API of all paths, --route PREFIX=URL that of paths that begin with
PREFIX; the longest prefix counts, and is replaced by the path of the URL. HTTP/2, streams,
trailers and WebSockets pass through. Redirects are passed on, not followed. The Authorization
of callers is removed. If an API rejects the token (401 with invalid_token), the proxy gets
another one and repeats the request once, if its body has at most --max-body-replay bytes.

Tokens. Stytch bills every token that it issues: the proxy requests one when it starts, and while
there are callers another one before that expires. --store shares tokens among proxies, --budget
limits them. The credentials are read before each token request, so a rotation needs no restart.
Without a token nothing is forwarded: callers get a problem document (application/problem+json)
whose class says why, with status 502, or 503 and Retry-After if the budget is used up.

--token-socket is a Unix socket for programs that send their requests themselves. Only the user
of the proxy can open it. GET /token?scope=… with the header Stytch-Token-Request: true returns
{"access_token","expires_at"}; the scopes must be among those of --scope.

Anyone who reaches the proxy uses its token. So it listens on loopback addresses, unless
--allow-remote is given with --tls-cert, --tls-key and --client-ca: then callers need a client
certificate. Requests of web pages from other origins, and those for other host names, are
refused; --host adds a name.

--admin serves /healthz, /readyz and /metrics for Prometheus. One line per request goes to
stderr, without path, query and headers; -q leaves only failures.`

const example = `  stytchctl proxy --upstream https://billing.internal --credentials /run/billing/cred.json --scope write:invoices
  stytchctl proxy --route /billing=https://billing.internal --route /users=https://users.internal/v2 --admin 127.0.0.1:9401
  stytchctl proxy --upstream https://billing.internal --store rediss://cache.internal --budget 20/h --token-socket /run/billing/token.sock`

// flags are those of proxy.
type flags struct {
	listen, admin, socket, readyFile       string
	allowRemote                            bool
	tlsCert, tlsKey, clientCA, tlsCA       string
	hosts, routes, scopes                  []string
	upstream, credentials                  string
	store, storePasswordFile, storeKeyFile string
	budget, maxBodyReplay, logFormat       string
	upstreamTimeout, drainTimeout          time.Duration
}

// New is stytchctl proxy.
func New(app *cli.App) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use: "proxy", Short: "Add access tokens to the requests of services in any language", Long: long, Example: example, Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := app.Context(cmd.Context())
			defer cancel()
			return run(ctx, app, &f)
		},
	}
	set := cmd.Flags()
	set.StringVar(&f.listen, "listen", "127.0.0.1:9400", "`address` for callers; port 0 chooses a free one")
	set.StringVar(&f.upstream, "upstream", "", "`URL` of the API of all paths that no route has")
	set.StringArrayVar(&f.routes, "route", nil, "`PREFIX=URL` of the API of some paths; may be repeated")
	set.StringVar(&f.credentials, "credentials", "env", "`file` or folder with the id and the secrets of the client, or env for STYTCH_CLIENT_ID and STYTCH_CLIENT_SECRET")
	set.StringArrayVar(&f.scopes, "scope", nil, "`scope` of the token; may be repeated (default: all of the client's)")
	set.StringVar(&f.store, "store", "", "`URL` of a Redis that shares tokens among proxies: redis://host:port or rediss://host:port")
	set.StringVar(&f.storePasswordFile, "store-password-file", "", "`file` with the password of the store; - is stdin")
	set.StringVar(&f.storeKeyFile, "store-key-file", "", "`file` with the key that encrypts tokens in the store, at least 32 random characters; - is stdin")
	set.StringVar(&f.budget, "budget", "", "`limit` of tokens in an hour, such as 20/h (default: none)")
	set.StringVar(&f.socket, "token-socket", "", "`path` of a Unix socket that hands out tokens")
	set.StringVar(&f.admin, "admin", "", "`address` of /healthz, /readyz and /metrics, such as 127.0.0.1:9401")
	set.StringVar(&f.readyFile, "ready-file", "", "`file` for the addresses, written once the proxy accepts requests and removed at the end")
	set.StringVar(&f.tlsCA, "tls-ca", "", "`file` with further CAs of upstreams in PEM")
	set.StringVar(&f.maxBodyReplay, "max-body-replay", "64KiB", "`size` of a body that is kept to repeat a request, such as 1MiB; 0 keeps none")
	set.DurationVar(&f.upstreamTimeout, "upstream-timeout", proxy.DefaultUpstreamTimeout, "`time` from the end of a request to the beginning of its response")
	set.DurationVar(&f.drainTimeout, "drain-timeout", proxy.DefaultDrainTimeout, "`time` for requests in progress at the end")
	set.BoolVar(&f.allowRemote, "allow-remote", false, "listen on addresses that are not loopback; needs client certificates")
	set.StringVar(&f.tlsCert, "tls-cert", "", "serve HTTPS; `file` with the certificate chain in PEM")
	set.StringVar(&f.tlsKey, "tls-key", "", "`file` with the key of --tls-cert in PEM")
	set.StringVar(&f.clientCA, "client-ca", "", "`file` with the CAs of client certificates in PEM; callers then need one")
	set.StringSliceVar(&f.hosts, "host", nil, "`name` by which callers know the proxy, besides loopback names")
	set.StringVar(&f.logFormat, "log", "", "`format` of the log: text or json (default: text, and json with -o json)")
	return cmd
}
