package token

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/verify"
)

const verifyLong = `Verifies a token of the project and says in plain words why it is good or refused: the
signature, the issuer, the audience, the kind of token, its times, and the scopes of
--scope. The token is read from stdin (-) or --token-file. The secret of the project is
not needed.

Keys are fetched from Stytch, or read from the file of --keys (stytchctl keys save) and
then nothing is sent. A verified token may belong to a client that was deactivated after
it was issued: it stays valid until it expires.

Exit code 9 means that the token is refused; nothing about it is known if the keys cannot
be fetched, which is exit code 6. With -o json a refusal is an error whose type names what
is wrong, and whose details list the checks that were good.`

const verifyExample = `  stytchctl token verify - --scope write:invoices < token
  stytchctl token verify --token-file token --keys keys.json --max-age 5m
  stytchctl token verify - --kind app --audience https://mcp.example.com < token`

// verifyFlags are those of token verify.
type verifyFlags struct {
	inputFlags
	scopes, issuers, audiences []string
	maxAge, maxLife            time.Duration
	kind, keys                 string
	b2b                        bool
}

func newVerify(app *cli.App) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use: "verify [-]", Short: "Verify a token, and say why it is refused", Long: verifyLong, Example: verifyExample, Args: tokenArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := app.Context(cmd.Context())
			defer cancel()
			return verifyToken(ctx, app, &f, args)
		},
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.scopes, "scope", nil, "`scope` that the token must have; may be repeated")
	flags.DurationVar(&f.maxAge, "max-age", 0, "`time` since the token was issued, at most; 0 is no limit")
	flags.DurationVar(&f.maxLife, "max-lifetime", time.Hour, "`time` from issue to expiry, at most; apps may have more")
	flags.StringVar(&f.kind, "kind", "m2m", "`kind` of token: m2m, or app for a Connected App's")
	flags.StringVar(&f.keys, "keys", "", "`file` with the key set; nothing is fetched then")
	flags.StringArrayVar(&f.issuers, "issuer", nil, "`address` of a custom domain that is accepted as issuer, too; may be repeated")
	flags.StringArrayVar(&f.audiences, "audience", nil, "`audience` to accept instead of the project; may be repeated")
	flags.BoolVar(&f.b2b, "b2b", false, "fetch the key set of a B2B project")
	return cmd
}

func (f *verifyFlags) options(where cli.Credentials) ([]verify.Option, error) {
	options := []verify.Option{verify.WithBaseURL(where.BaseURL), verify.WithMaxLifetime(f.maxLife)}
	switch f.kind {
	case "m2m":
	case "app":
		options = append(options, verify.WithConnectedApps())
	default:
		return nil, cli.Usagef("--kind: %q is not m2m or app. Nothing was sent.", f.kind)
	}
	if f.maxAge < 0 {
		return nil, cli.Usagef("--max-age: the limit must not be negative. Nothing was sent.")
	}
	if f.maxAge > 0 {
		options = append(options, verify.WithMaxAge(f.maxAge))
	}
	if f.keys != "" {
		options = append(options, verify.WithKeyFile(f.keys), verify.WithOffline())
	}
	if len(f.issuers) > 0 {
		options = append(options, verify.WithIssuers(f.issuers...))
	}
	if len(f.audiences) > 0 {
		options = append(options, verify.WithAudiences(f.audiences...))
	}
	if f.b2b {
		options = append(options, verify.WithB2B())
	}
	return options, nil
}

func verifyToken(ctx context.Context, app *cli.App, f *verifyFlags, args []string) error {
	where, err := app.Project(ctx)
	if err != nil {
		return err
	}
	options, err := f.options(where)
	if err != nil {
		return err
	}
	verifier, err := verify.New(where.ProjectID, options...)
	if err != nil {
		return cli.Errorf("", "%w. Nothing was sent.", err)
	}
	defer func() { _ = verifier.Close() }()
	raw, err := f.read(app, args)
	if err != nil {
		return err
	}
	var checks []verify.Check
	if len(f.scopes) > 0 {
		checks = append(checks, verify.AllScopes(f.scopes...))
	}
	claims, err := verifier.Verify(ctx, raw.Reveal(), checks...)
	if err != nil {
		return f.refusal(err, raw.Reveal(), where.ProjectID, app.Now())
	}
	return printVerified(app, claims, len(f.scopes) > 0)
}

// verified is a good token as it is printed.
type verified struct {
	Valid     bool        `json:"valid"` // always true
	Kind      verify.Kind `json:"kind"`
	ClientID  string      `json:"client_id"`
	Subject   string      `json:"subject"`
	Scopes    []string    `json:"scopes"`
	Issuer    string      `json:"issuer"`
	Audience  []string    `json:"audience"`
	IssuedAt  time.Time   `json:"issued_at"`
	ExpiresAt time.Time   `json:"expires_at"`
	Good      []string    `json:"good"`
}

func printVerified(app *cli.App, c verify.Claims, scopes bool) error {
	good := passed(nil)
	if scopes {
		good = append(good, "scopes")
	}
	err := cli.PrintOne(app, verified{
		true, c.Kind, c.ClientID, c.Subject, c.Scopes(), c.Issuer, c.Audience(), c.IssuedAt.UTC(), c.ExpiresAt.UTC(), good,
	},
		cli.Column[verified]{Field: "valid", Title: "VALID"},
		cli.Column[verified]{Field: "kind", Title: "KIND"},
		cli.Column[verified]{Field: "client_id", Title: "CLIENT ID"},
		cli.Column[verified]{Field: "subject", Title: "SUBJECT"},
		cli.Column[verified]{Field: "scopes", Title: "SCOPES"},
		cli.Column[verified]{Field: "expires_at", Title: "EXPIRES", Text: func(v verified) string {
			return v.ExpiresAt.Format(time.RFC3339) + ", " + when(v.ExpiresAt, app.Now())
		}})
	if err == nil && !app.Machine() {
		app.Note("%s", sentence(good))
	}
	return err
}
