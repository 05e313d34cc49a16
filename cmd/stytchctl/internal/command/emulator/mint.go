package emulator

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/instance"
)

const maxClaims = 1 << 20

func newMint(r *remote) *cobra.Command {
	var request admin.MintRequest
	var claims, preset string
	presets := make([]string, len(instance.Presets))
	var about strings.Builder
	for i, p := range instance.Presets {
		presets[i] = p.Name
		about.WriteString("\n  " + p.Name + ": " + p.Description)
	}
	cmd := &cobra.Command{
		Use: "mint", Short: "Mint any token",
		Long: `Prints an access token: that of a client, changed by --preset, or one with claims of your own. It
is not billed and needs no secret of the client. With -o json the claims are printed too.

The presets:` + about.String(),
		Example: `  stytchctl emulator mint --client-id worker --preset expired
  stytchctl emulator mint --claims '{"sub":"worker","exp":1}'
  stytchctl emulator mint --claims @claims.json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (claims == "") == (request.ClientID == "") {
				return cli.Usagef("give --client-id or --claims. Nothing was minted.")
			}
			if claims != "" {
				text, err := r.app.ReadArgument("--claims", claims, maxClaims)
				if err != nil {
					return err
				}
				if json.Unmarshal(text, &request.Claims) != nil || request.Claims == nil {
					return cli.Usagef("--claims: it must be a JSON object. Nothing was minted.")
				}
			}
			if preset != "" && !slices.Contains(presets, preset) {
				return cli.Usagef("--preset: there is no preset %q%s Nothing was minted.", preset, cli.Nearest(preset, presets))
			}
			request.Preset = admin.MintRequestPreset(preset)
			minted, err := call[admin.MintedToken](cmd.Context(), r, http.MethodPost, "/tokens", request)
			if err != nil {
				return err
			}
			if r.app.Machine() {
				return cli.PrintOne(r.app, minted)
			}
			return cli.PrintText(r.app, []byte(minted.AccessToken+"\n"))
		},
	}
	cmd.Flags().StringVar(&request.ClientID, "client-id", "", "`id` of the client to mint a token for")
	cmd.Flags().StringSliceVar(&request.Scopes, "scope", nil, "`scope` of the token; all of the client's if it is left out")
	cmd.Flags().StringVar(&preset, "preset", "", "`name` of what is wrong with the token")
	cmd.Flags().StringVar(&claims, "claims", "", "`JSON` object with the claims, or @file")
	return r.command(cmd)
}

type billLine struct {
	ClientID string `json:"client_id"`
	Tokens   int    `json:"tokens"`
}

func newBill(r *remote) *cobra.Command {
	return r.command(&cobra.Command{
		Use: "bill", Short: "Count the tokens that Stytch would bill",
		Long:    `Prints how many access tokens each client was issued, most first. Tokens of mint do not count.`,
		Example: "  stytchctl emulator bill\n  stytchctl emulator bill -o json --jq 'map(.tokens) | add'",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bill, err := call[admin.Bill](cmd.Context(), r, http.MethodGet, "/bill", nil)
			if err != nil {
				return err
			}
			p, err := cli.NewPrinter(r.app,
				cli.Column[billLine]{Field: "client_id", Title: "CLIENT ID"}, cli.Column[billLine]{Field: "tokens", Title: "TOKENS"})
			if err != nil {
				return err
			}
			ids := slices.SortedFunc(maps.Keys(bill.Tokens), func(a, b string) int {
				return cmp.Or(cmp.Compare(bill.Tokens[b], bill.Tokens[a]), cmp.Compare(a, b))
			})
			for _, id := range ids {
				if err := p.Print(billLine{id, bill.Tokens[id]}); err != nil {
					return err
				}
			}
			return p.Close()
		},
	})
}
