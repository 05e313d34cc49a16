package destination

import (
	"slices"

	"github.com/spf13/pflag"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

// Flags say what becomes of a secret that is shown once.
type Flags struct {
	To     string
	Reveal bool
}

// Register adds --secret-to and --reveal.
func (f *Flags) Register(set *pflag.FlagSet) {
	set.StringVar(&f.To, "secret-to", "", "`destination` of the secret, such as file:PATH; never overwritten")
	set.BoolVar(&f.Reveal, "reveal", false, "print the secret")
}

// Given reports whether one of the two is there.
func (f *Flags) Given() bool { return f.To != "" || f.Reveal }

// CheckFields refuses --fields that leave out the secret which --reveal is to print. Names are the
// fields that have it.
func (f *Flags) CheckFields(app *cli.App, nothing string, names ...string) error {
	if !f.Reveal || f.To != "" || app.Flags.Fields == nil {
		return nil
	}
	for _, name := range names {
		if slices.Contains(app.Flags.Fields, name) {
			return nil
		}
	}
	return cli.Usagef("--fields: the secret is shown once, and --reveal prints it as %s: name that too, or give --secret-to. %s", names[0], nothing)
}

// Place is the place of --secret-to, or nil if the secret is only to be printed. Without either
// flag it refuses, before the request: nothing says what that then did not do, such as "Nothing was
// created."
func (f *Flags) Place(app *cli.App, nothing string) (*Place, error) {
	if !f.Given() {
		return nil, cli.Usagef("the secret is shown once: say where it goes (--secret-to) or ask to see it (--reveal). %s", nothing)
	}
	if f.To == "" {
		return nil, nil
	}
	place, err := Once(f.To, app.Getenv)
	if err != nil {
		return nil, cli.Usagef("--secret-to: %w. %s", err, nothing)
	}
	return place, nil
}
