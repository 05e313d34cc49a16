package token

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/secret"
)

// maxInput is more than any token has.
const maxInput = 64 << 10

// inputFlags say where a token is.
type inputFlags struct{ file string }

func (f *inputFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "token-file", "", "`file` with the token; - is stdin")
}

// tokenArgs takes - alone. A token as an argument is refused without printing it.
func tokenArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 1 || len(args) == 1 && args[0] != "-" {
		return cli.Usagef("%s reads the token from stdin (-) or from --token-file: other users can see an argument, and shells store it. Nothing was done.", cmd.CommandPath())
	}
	return nil
}

// read reads the token, with or without what token get --format header prints before it.
func (f *inputFlags) read(app *cli.App, args []string) (raw secret.String, err error) {
	flag, name := "--token-file", f.file
	switch {
	case len(args) > 0 && name != "":
		return raw, cli.Usagef("give either - or --token-file. Nothing was done.")
	case name == "":
		if file, ok := app.In.(*os.File); ok && len(args) == 0 && term.IsTerminal(int(file.Fd())) {
			return raw, cli.Usagef("there is no token: pass it on stdin, or name a file with --token-file. Nothing was done.")
		}
		flag, name = "stdin", "-"
	}
	data, err := app.ReadFile(flag, name, maxInput)
	if err != nil {
		return raw, err
	}
	text := strings.TrimSpace(string(data))
	for _, prefix := range []string{"authorization:", "bearer "} {
		if len(text) > len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
			text = strings.TrimSpace(text[len(prefix):])
		}
	}
	switch {
	case text == "":
		return raw, cli.Usagef("%s: there is no token in it. Nothing was done.", flag)
	case strings.ContainsAny(text, " \t\r\n"):
		return raw, cli.Usagef("%s: it must hold one token alone. Nothing was done.", flag)
	}
	return secret.New(text), nil
}
