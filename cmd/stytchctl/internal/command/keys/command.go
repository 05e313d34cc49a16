// Package keys has the commands that read the key set of a project.
package keys

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/keyset"
)

const long = `The key set of a project has the public keys that its tokens are signed with. It is not
secret, and neither command needs the secret of the project.`

// New is stytchctl keys.
func New(app *cli.App) *cobra.Command {
	return cli.Group("keys", "Read the key set of a project", long, newList(app), newSave(app))
}

func newList(app *cli.App) *cobra.Command {
	var b2b bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the keys that tokens are signed with",
		Long: `Lists the keys of the project's key set, and whether tokens can be verified with each.
Exit code 6 means that the key set cannot be fetched.`,
		Example: "  stytchctl keys list -o json", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := app.Context(cmd.Context())
			defer cancel()
			found, err := keyset.Fetch(ctx, app, b2b)
			if err != nil {
				return err
			}
			return list(app, found)
		},
	}
	registerB2B(cmd, &b2b)
	return cmd
}

func newSave(app *cli.App) *cobra.Command {
	var b2b bool
	cmd := &cobra.Command{
		Use: "save FILE", Short: "Save the key set in a file",
		Long: `Saves the key set as Stytch serves it, for stytchctl token verify --keys and for
verify.WithKeyFile. FILE is replaced as a whole, and only by a key set that has a usable
key; - is stdout.`,
		Example: "  stytchctl keys save keys.json", Args: cli.Args("the FILE to write"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := app.Context(cmd.Context())
			defer cancel()
			found, err := keyset.Fetch(ctx, app, b2b)
			if err != nil {
				return err
			}
			if args[0] == "-" {
				_, err := app.Out.Write(append(found.Document, '\n'))
				return cli.PipeError(err)
			}
			if err := cli.WriteFile(args[0], append(found.Document, '\n'), 0o644); err != nil {
				return cli.Usagef("%w. Nothing was changed.", err)
			}
			app.Note("Saved %d keys in %s.", found.Set.Len(), args[0])
			return nil
		},
	}
	registerB2B(cmd, &b2b)
	return cmd
}

func registerB2B(cmd *cobra.Command, b2b *bool) {
	cmd.Flags().BoolVar(b2b, "b2b", false, "the key set of a B2B project")
}

// row is a key as it is printed.
type row struct {
	KeyID     string `json:"kid"`
	Type      string `json:"kty"`
	Algorithm string `json:"alg"`
	Use       string `json:"use"`
	Bits      int    `json:"bits"`
	Usable    bool   `json:"usable"`
}

func list(app *cli.App, found *keyset.KeySet) error {
	var keys struct {
		Keys []struct {
			row
			Modulus string `json:"n"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(found.Document, &keys); err != nil {
		return cli.Errorf(cli.Internal, "the key set: %w", err)
	}
	printer, err := cli.NewPrinter(app,
		cli.Column[row]{Field: "kid", Title: "KEY ID"},
		cli.Column[row]{Field: "kty", Title: "TYPE"},
		cli.Column[row]{Field: "alg", Title: "ALGORITHM"},
		cli.Column[row]{Field: "use", Title: "USE"},
		cli.Column[row]{Field: "bits", Title: "BITS"},
		cli.Column[row]{Field: "usable", Title: "USABLE", Text: func(r row) string {
			if r.Usable {
				return "yes"
			}
			return "no"
		}})
	if err != nil {
		return err
	}
	for _, key := range keys.Keys {
		modulus, _ := base64.RawURLEncoding.DecodeString(key.Modulus) // of a key that is not RSA there is none
		key.Bits, key.Usable = 8*len(modulus), found.Set.Key([]byte(key.KeyID)) != nil
		if err := printer.Print(key.row); err != nil {
			return err
		}
	}
	if dropped := found.Set.Dropped(); len(dropped) > 0 {
		app.Warn("not usable: %s", strings.Join(dropped, "; "))
	}
	return printer.Close()
}
