package token

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

const inspectLong = `Prints what a token says of itself, with its times in words. Nothing is verified: anyone
can write a token that says anything. To decide by a token, use stytchctl token verify.

The token is read from stdin (-) or --token-file, with or without "Authorization: Bearer"
before it. Its signature is not printed, so what is printed cannot be used as a token.
Nothing is sent, and no project is needed. Exit code 9 means that it is not a JWT.`

func newInspect(app *cli.App) *cobra.Command {
	var input inputFlags
	cmd := &cobra.Command{
		Use: "inspect [-]", Short: "Print what a token says, without verifying it", Long: inspectLong,
		Example: "  stytchctl token get | stytchctl token inspect -", Args: tokenArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			raw, err := input.read(app, args)
			if err != nil {
				return err
			}
			d, err := decodeToken(raw.Reveal())
			if err != nil {
				return &cli.Error{Class: cli.Refused, Type: "malformed", Err: err}
			}
			app.Warn("NOT VERIFIED: anyone can write what follows. To decide by it, use stytchctl token verify.")
			return printDecoded(app, d)
		},
	}
	input.register(cmd)
	return cmd
}

// inspection is a token as JSON.
type inspection struct {
	Verified bool              `json:"verified"` // always false
	Says     string            `json:"says"`
	Header   json.RawMessage   `json:"header"`
	Claims   json.RawMessage   `json:"claims"`
	Times    map[string]string `json:"times"`
}

// claim is one line of the table.
type claim struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Words string `json:"words"`
}

func printDecoded(app *cli.App, d *decoded) error {
	words := map[string]string{}
	for name, t := range map[string]time.Time{"iat": d.issued, "nbf": d.notBefore, "exp": d.expires} {
		if !t.IsZero() {
			words[name] = t.Format(time.RFC3339) + ", " + when(t, app.Now())
		}
	}
	if app.Machine() {
		return cli.PrintOne[inspection](app, inspection{false, d.kind(), d.header, d.claims, words})
	}
	printer, err := cli.NewPrinter(app,
		cli.Column[claim]{Field: "name", Title: "CLAIM"},
		cli.Column[claim]{Field: "value", Title: "VALUE (NOT VERIFIED)"},
		cli.Column[claim]{Field: "words", Title: "IN WORDS"})
	if err != nil {
		return err
	}
	words["sub"] = d.kind()
	for _, part := range []struct {
		prefix string
		text   json.RawMessage
	}{{"header ", d.header}, {"", d.claims}} {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(part.text, &members); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			line := claim{Name: part.prefix + name, Value: plain(members[name])}
			if part.prefix == "" {
				line.Words = words[name]
			}
			if err := printer.Print(line); err != nil {
				return err
			}
		}
	}
	return printer.Close()
}

// plain is a JSON value for people: texts without quotation marks.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
