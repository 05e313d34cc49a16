package emulator

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
)

func newInit(app *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "init [FILE]", Short: "Write a commented seed to start from",
		Long: `Writes a seed with examples to FILE, or to ` + seed.FileName + `, which serve finds by itself. A file
that exists is left as it is (exit code 5).`,
		Example: "  stytchctl emulator init",
		RunE: func(_ *cobra.Command, args []string) error {
			name := seed.FileName
			switch len(args) {
			case 0:
			case 1:
				name = args[0]
			default:
				return cli.Usagef("stytchctl emulator init: %q is one argument too many. Nothing was written.", args[1])
			}
			if name == "" {
				return cli.Usagef("FILE: it must not be empty. Nothing was written.")
			}
			if err := writeNew(name, []byte(seed.Starter)); err != nil {
				return err
			}
			app.Note("%s is written: change it, and run stytchctl emulator serve.", name)
			return nil
		},
	}
}

// writeNew writes a file that must not exist. It holds secrets of tests, so others cannot read it.
func writeNew(name string, text []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the user names it
	switch {
	case errors.Is(err, fs.ErrExist):
		return cli.Errorf(cli.Conflict, "%s exists already: remove it, or give another name. Nothing was written.", name)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return cli.Usagef("FILE: %w. Nothing was written.", err)
	case err != nil:
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}
