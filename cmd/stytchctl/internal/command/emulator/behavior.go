package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

func newBehavior(r *remote) *cobra.Command {
	return r.group("behavior", "Choose what the emulator does where Stytch is not known", `One switch for each behavior of Stytch that is not known, so that a client can be tested under every
variant.`, newBehaviorList(r), newBehaviorSet(r))
}

func newBehaviorList(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the switches", Long: `Prints each switch with its value, the values that it accepts, and where its default comes from.`,
		Example: "  stytchctl emulator behavior list", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.behavior(cmd, http.MethodGet, nil) },
	}
}

func newBehaviorSet(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "set NAME=VALUE...", Short: "Change switches",
		Long: `Changes switches, all or none. The next request finds them changed.
NAME= returns one to its default.`,
		Example: "  stytchctl emulator behavior set start_while_rotating=replace token_id=true", Args: cli.Args("NAME=VALUE..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			patch := map[string]any{}
			for _, arg := range args {
				name, value, ok := strings.Cut(arg, "=")
				if !ok || name == "" {
					return cli.Usagef("%q: write NAME=VALUE. Nothing was sent.", arg)
				}
				patch[name] = switchValue(value)
			}
			return r.behavior(cmd, http.MethodPatch, patch)
		},
	}
}

// switchValue is the JSON of a value: a number, true or false, null for nothing, else a text.
func switchValue(text string) any {
	var value any
	if text == "" {
		return nil
	}
	if json.Unmarshal([]byte(text), &value) == nil {
		return json.RawMessage(text)
	}
	return text
}

func (r *remote) behavior(cmd *cobra.Command, method string, body any) error {
	list, err := call[admin.BehaviorList](cmd.Context(), r, method, "/behavior", body)
	if err != nil {
		return err
	}
	p, err := cli.NewPrinter(r.app,
		cli.Column[admin.BehaviorField]{Field: "name", Title: "NAME"},
		cli.Column[admin.BehaviorField]{Field: "value", Title: "VALUE", Text: func(f admin.BehaviorField) string { return fmt.Sprint(f.Value) }},
		cli.Column[admin.BehaviorField]{Field: "values", Title: "VALUES"},
		cli.Column[admin.BehaviorField]{Field: "certainty", Title: "DEFAULT IS"})
	if err != nil {
		return err
	}
	for _, f := range list.Fields {
		if err := p.Print(f); err != nil {
			return err
		}
	}
	return p.Close()
}
