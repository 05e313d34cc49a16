package token

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/token"
)

const getLong = `Gets an access token of an M2M client and prints it to stdout, because that is what was
asked for. It goes nowhere else. Stytch bills every token that it issues: in a CI job
with several steps, give --cache.

The client is named by --client-id and --client-secret-file, or by --credentials with a
file or folder as stytchctl rotate delivers it, or by STYTCH_CLIENT_ID and
STYTCH_CLIENT_SECRET. During a rotation there are two secrets (previous_client_secret in
the file, STYTCH_PREVIOUS_CLIENT_SECRET): if Stytch refuses the first one, the second is
used. The project is named as everywhere; its secret is not needed.

--cache FILE shares tokens among processes that run one after the other or at the same
time. Tokens in it are encrypted under a key that is derived from the client's secret,
and found only with the same project, address, client, secret, scopes and parameters. A
secret of fewer than 32 characters can be guessed: it needs --cache-key-file, a file with
at least 32 random characters. A token is taken from the cache if it is valid for at
least --min-life. A damaged cache is replaced, with a note on stderr.

Formats:
  raw      the token and a line break (default)
  json     access_token, token_type, expires_at, expires_in, scopes; also with -o json
  header   Authorization: Bearer TOKEN, for curl -H @-
  k8s      an ExecCredential for kubectl and other clients of Kubernetes
  env      STYTCH_ACCESS_TOKEN=TOKEN and STYTCH_ACCESS_TOKEN_EXPIRES_AT=TIME

Exit code 4 means that the client or its secret was refused, 2 that a scope was, 6 that
the endpoint cannot be reached.`

const getExample = `  stytchctl token get --client-id m2m-client-test-… --client-secret-file secret.txt
  stytchctl token get --credentials /run/billing/cred.json --scope write:invoices --cache .token-cache
  curl -H "$(stytchctl token get --format header)" https://api.example.com/invoices
  stytchctl token get --format env >> "$GITHUB_ENV"`

// getFlags are those of token get.
type getFlags struct {
	credentialFlags
	scopes     []string
	parameters []string
	format     string
	cache      string
	cacheKey   string
	minLife    time.Duration
}

func newGet(app *cli.App) *cobra.Command {
	var f getFlags
	cmd := &cobra.Command{
		Use: "get", Short: "Get an access token", Long: getLong, Example: getExample, Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := app.Context(cmd.Context())
			defer cancel()
			return get(ctx, app, &f)
		},
	}
	flags := cmd.Flags()
	f.credentialFlags.register(flags)
	flags.StringArrayVar(&f.scopes, "scope", nil, "`scope` to request; may be repeated (default: all of the client's)")
	flags.StringArrayVar(&f.parameters, "param", nil, "`name=value` to send to the token template of the project; may be repeated")
	flags.StringVar(&f.format, "format", "", "`format` of the token: raw, json, header, k8s or env (default raw)")
	flags.StringVar(&f.cache, "cache", "", "`file` that shares tokens with other processes, encrypted")
	flags.StringVar(&f.cacheKey, "cache-key-file", "", "`file` with the key of the cache, if the client's secret is short; - is stdin")
	flags.DurationVar(&f.minLife, "min-life", time.Minute, "`time` that a token of the cache must stay valid")
	return cmd
}

func get(ctx context.Context, app *cli.App, f *getFlags) error {
	format, err := chooseFormat(app, f.format)
	if err != nil {
		return err
	}
	if err := cli.CheckFields[answer](app); err != nil { // a token is billed
		return err
	}
	parameters, err := readParameters(f.parameters)
	if err != nil {
		return err
	}
	where, err := app.Project(ctx)
	if err != nil {
		return err
	}
	credentials, err := f.read(ctx, app)
	if err != nil {
		return err
	}
	options := []token.Option{
		token.WithBaseURL(where.BaseURL), token.WithParameters(parameters), token.WithMinLife(f.minLife),
		token.WithUserAgent("stytchctl/" + stytch.Version),
	}
	if len(f.scopes) > 0 {
		options = append(options, token.WithScopes(f.scopes...))
	}
	if app.Flags.Verbose {
		options = append(options, logRequests(app))
	}
	cache, err := openCache(ctx, app, f, credentials)
	if err != nil {
		return err
	}
	source, err := token.New(where.ProjectID, credentials, append(options, cache...)...)
	if err != nil {
		return cli.Errorf("", "%w. Nothing was sent.", err)
	}
	defer source.Close()
	got, err := source.Token(ctx)
	if err != nil {
		return err
	}
	for _, scope := range f.scopes {
		if !slices.Contains(got.Scopes, scope) {
			app.Warn("the token does not have the scope %s: the client does not have it.", scope)
		}
	}
	return format(app, got)
}

// readParameters reads name=value.
func readParameters(texts []string) (map[string]string, error) {
	parameters := map[string]string{}
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if _, twice := parameters[name]; !ok || name == "" || twice {
			return nil, cli.Usagef("--param: it must be name=value, each name once. Nothing was sent.")
		}
		parameters[name] = value
	}
	return parameters, nil
}
