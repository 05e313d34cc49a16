package token

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/credentials"
	"github.com/stytchkit/m2m/stytch/token"
)

// credentialFlags say where the id and the secrets of the client are.
type credentialFlags struct {
	clientID, secretFile, file string
}

func (f *credentialFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.clientID, "client-id", "", "`id` of the client")
	flags.StringVar(&f.secretFile, "client-secret-file", "", "`file` with the secret of the client; - is stdin")
	flags.StringVar(&f.file, "credentials", "", "`file` or folder with the id and the secrets of the client")
}

// read reads the credentials once. A short-lived command needs no more.
func (f *credentialFlags) read(ctx context.Context, app *cli.App) (token.Credentials, error) {
	switch {
	case f.file != "" && (f.clientID != "" || f.secretFile != ""):
		return nil, cli.Usagef("--credentials has the id and the secret: leave out --client-id and --client-secret-file. Nothing was sent.")
	case f.file != "":
		found, err := token.File(f.file).Credential(ctx)
		if err != nil {
			return nil, cli.Usagef("--credentials: %w. Nothing was sent.", err)
		}
		if found.ClientID == "" || found.Secret.IsZero() {
			return nil, cli.Usagef("--credentials: %s lacks the client id or its secret. Nothing was sent.", f.file)
		}
		return static(found), nil
	case (f.clientID == "") != (f.secretFile == ""):
		return nil, cli.Usagef("--client-id and --client-secret-file belong together: give both. Nothing was sent.")
	case f.clientID != "":
		s, err := app.ReadSecret("--client-secret-file", f.secretFile)
		if err != nil {
			return nil, err
		}
		return token.Static(f.clientID, s), nil
	}
	found, err := credentials.Env(app.Getenv)
	if err != nil {
		return nil, cli.Usagef("%w. Nothing was sent.", err)
	}
	if found.ClientID == "" || found.Secret.IsZero() {
		return nil, cli.Errorf(cli.Auth, "no client is known: give --client-id and --client-secret-file, or --credentials, or set STYTCH_CLIENT_ID and STYTCH_CLIENT_SECRET. Nothing was sent.")
	}
	return static(token.Credential{ClientID: found.ClientID, Secret: found.Secret, Next: found.Previous}), nil
}

func static(c token.Credential) token.Credentials {
	if c.Next.IsZero() {
		return token.Static(c.ClientID, c.Secret)
	}
	return token.Static(c.ClientID, c.Secret, c.Next)
}
