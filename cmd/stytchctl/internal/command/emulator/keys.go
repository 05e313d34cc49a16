package emulator

import (
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

func newKeys(r *remote) *cobra.Command {
	return r.group("keys", "List and rotate the signing keys", `The signing keys of the project. The newest one signs; all of them are in the key set.`,
		newKeysList(r), newKeysRotate(r), newKeysRemove(r))
}

func (r *remote) keys(cmd *cobra.Command, method, path string) error {
	keys, err := call[admin.Keys](cmd.Context(), r, method, path, nil)
	if err != nil {
		return err
	}
	p, err := cli.NewPrinter(r.app,
		cli.Column[admin.Key]{Field: "id", Title: "KEY"},
		cli.Column[admin.Key]{Field: "created", Title: "CREATED", Text: func(k admin.Key) string { return k.Created.Format(time.RFC3339) }},
		cli.Column[admin.Key]{Field: "current", Title: "SIGNS", Text: func(k admin.Key) string {
			if k.Current {
				return "yes"
			}
			return "no"
		}})
	if err != nil {
		return err
	}
	for _, k := range keys.Keys {
		if err := p.Print(k); err != nil {
			return err
		}
	}
	return p.Close()
}

func newKeysList(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the signing keys", Long: `Prints the keys of the key set, oldest first.`,
		Example: "  stytchctl emulator keys list", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.keys(cmd, http.MethodGet, "/keys") },
	}
}

func newKeysRotate(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "rotate", Short: "Sign with a new key",
		Long:    `Generates a key that signs from now on. Earlier keys stay in the key set until they are removed.`,
		Example: "  stytchctl emulator keys rotate", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.keys(cmd, http.MethodPost, "/keys/rotate") },
	}
}

func newKeysRemove(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "remove KEY", Short: "Remove a key from the key set",
		Long:    `Removes a key that no longer signs: its tokens are not valid from now on.`,
		Example: "  stytchctl emulator keys remove jwk-test-11111111-1111-4111-8111-111111111111", Args: cli.Args("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := call[none](cmd.Context(), r, http.MethodDelete, "/keys/"+url.PathEscape(args[0]), nil)
			return err
		},
	}
}
