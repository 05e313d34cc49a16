package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
)

// Group is a command that only has commands below it. It shows its help, and refuses a word that is
// none of them.
func Group(use, short, long string, children ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.ArbitraryArgs, RunE: runGroup}
	group.AddCommand(children...)
	return group
}

func runGroup(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	var known []string
	for _, child := range cmd.Commands() {
		known = append(known, child.Name())
		if slices.Contains(child.SuggestFor, args[0]) {
			return unknownCommand(cmd, args[0], fmt.Sprintf(": did you mean %q?", child.Name()+" "+args[0]))
		}
	}
	return unknownCommand(cmd, args[0], Nearest(args[0], known))
}

func unknownCommand(cmd *cobra.Command, name, hint string) error {
	return Usagef("%s has no command %q%s See %s --help. Nothing was done.", cmd.CommandPath(), name, hint, cmd.CommandPath())
}

// NoArgs refuses arguments.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Usagef("%s takes no argument: %q is one too many. Nothing was done.", cmd.CommandPath(), args[0])
	}
	return nil
}

// Args wants one argument for each name. If the last name ends with "...", it stands for one or
// more.
func Args(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		last := names[len(names)-1]
		many := len(last) > 3 && last[len(last)-3:] == "..."
		switch {
		case len(args) < len(names):
			return Usagef("%s needs %s. See %s --help. Nothing was done.", cmd.CommandPath(), names[len(args)], cmd.CommandPath())
		case len(args) > len(names) && !many:
			return Usagef("%s: %q is one argument too many. Nothing was done.", cmd.CommandPath(), args[len(names)])
		}
		for i, arg := range args {
			if arg == "" {
				return Usagef("%s: argument %d is empty. Nothing was done.", cmd.CommandPath(), i+1)
			}
		}
		return nil
	}
}
