package completion

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/profile"
	"github.com/stytchkit/m2m/stytch"
)

// limit is how long a person waits for ids.
const limit = time.Second

// page is how many ids are offered at most: more would not help.
const page = 1000

// takesIDs and takesProfile recognize commands by their usage line.
var (
	takesIDs     = regexp.MustCompile(`^\S+ ID(\.\.\.|…)?( |$)`)
	takesProfile = regexp.MustCompile(`^(use|remove) NAME$`)
)

type completer = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective)

// Attach gives every command below root what completes its arguments and flags.
func Attach(app *cli.App, root *cobra.Command) {
	profiles := profile.New(app.Getenv)
	complete := map[string]completer{
		"profile": profileNames(profiles),
		"output":  cobra.FixedCompletions([]cobra.Completion{"table", "json", "ndjson", "tsv"}, cobra.ShellCompDirectiveNoFileComp),
		"color":   cobra.FixedCompletions([]cobra.Completion{"auto", "always", "never"}, cobra.ShellCompDirectiveNoFileComp),
	}
	for name, f := range complete {
		if err := root.RegisterFlagCompletionFunc(name, f); err != nil {
			panic("completion: " + err.Error()) // a global flag was renamed
		}
	}
	attach(app, profiles, root)
}

func attach(app *cli.App, profiles *profile.Profiles, cmd *cobra.Command) {
	switch {
	case cmd.ValidArgsFunction != nil || cmd.ValidArgs != nil:
	case takesIDs.MatchString(cmd.Use):
		cmd.ValidArgsFunction = clientIDs(app)
	case takesProfile.MatchString(cmd.Use):
		cmd.ValidArgsFunction = profileNames(profiles)
	}
	for _, child := range cmd.Commands() {
		attach(app, profiles, child)
	}
}

func profileNames(profiles *profile.Profiles) completer {
	return func(_ *cobra.Command, _ []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		all, _, _ := profiles.List() // a broken file offers nothing
		var names []cobra.Completion
		for _, p := range all {
			if strings.HasPrefix(p.Name, prefix) {
				names = append(names, cobra.CompletionWithDesc(p.Name, p.ProjectID))
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// clientIDs looks ids up. Whatever fails, it offers none: an error would stand in the middle of
// what is being typed.
func clientIDs(app *cli.App) completer {
	return func(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		const directive = cobra.ShellCompDirectiveNoFileComp
		if len(args) > 0 && !strings.Contains(cmd.Use, "ID...") {
			return nil, directive
		}
		app.Flags.NoInput, app.Flags.Verbose = true, false
		if app.Flags.ProjectSecretFile == "-" { // stdin belongs to the shell
			return nil, directive
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), limit)
		defer cancel()
		found, err := search(ctx, app, ofApps(cmd))
		if err != nil {
			return nil, directive
		}
		var ids []cobra.Completion
		for id, name := range found {
			if strings.HasPrefix(id, prefix) {
				ids = append(ids, cobra.CompletionWithDesc(id, clean(name)))
			}
		}
		slices.Sort(ids)
		return ids, directive
	}
}

// ofApps reports whether a command is about Connected Apps.
func ofApps(cmd *cobra.Command) bool {
	app, _ := cmd.Flags().GetBool("app") // most commands have no such flag
	return app || cmd.HasParent() && cmd.Parent().Name() == "apps"
}

// search returns ids and names.
func search(ctx context.Context, app *cli.App, apps bool) (map[string]string, error) {
	api, err := app.API(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	if apps {
		result, err := api.ConnectedApps.SearchPage(ctx, stytch.ConnectedAppSearch{Limit: page})
		if err != nil {
			return nil, err
		}
		for _, c := range result.Items {
			found[c.ClientID] = c.ClientName
		}
		return found, nil
	}
	result, err := api.M2M.SearchPage(ctx, stytch.M2MSearch{Limit: page})
	if err != nil {
		return nil, err
	}
	for _, c := range result.Items {
		found[c.ClientID] = c.ClientName
	}
	return found, nil
}

// clean is a name without what a shell would take for the end of it.
func clean(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, name)
}
