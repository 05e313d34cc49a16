package reference

import (
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

// commands are a command and all below it that are not hidden, in the order of the page.
func commands(root *cobra.Command) iter.Seq[*cobra.Command] {
	return func(yield func(*cobra.Command) bool) { visit(root, yield) }
}

func visit(cmd *cobra.Command, yield func(*cobra.Command) bool) bool {
	if !yield(cmd) {
		return false
	}
	for _, child := range cmd.Commands() {
		if !child.IsAvailableCommand() {
			continue
		}
		if !visit(child, yield) {
			return false
		}
	}
	return true
}

// Markdown is docs/stytchctl.md.
func Markdown(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("<!-- Written by `make docs` from the commands. Do not edit. -->\n\n# stytchctl\n\n")
	prose(&b, root.Long)
	b.WriteString(introduction)
	b.WriteString("## Exit codes\n\n| code | class | meaning |\n| --- | --- | --- |\n| 0 | | success |\n")
	for _, info := range cli.Classes {
		fmt.Fprintf(&b, "| %d | `%s` | %s |\n", info.Code, info.Class, info.Means)
	}
	b.WriteString(failures)
	b.WriteString("## Global flags\n\n")
	flagTable(&b, root.PersistentFlags())
	b.WriteString("## Commands\n\n| command | what it does |\n| --- | --- |\n")
	for cmd := range commands(root) {
		if cmd.Runnable() && cmd != root && !cmd.HasAvailableSubCommands() {
			fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", cmd.CommandPath(), pageName(cmd), cmd.Short)
		}
	}
	for cmd := range commands(root) {
		if cmd != root {
			section(&b, cmd)
		}
	}
	return b.String()
}

// section describes one command.
func section(b *strings.Builder, cmd *cobra.Command) {
	level := "##"
	if cmd.Parent().HasParent() {
		level = "###"
	}
	fmt.Fprintf(b, "\n%s %s\n\n", level, cmd.CommandPath())
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	prose(b, text)
	if !cmd.HasAvailableSubCommands() {
		fmt.Fprintf(b, "```\n%s\n```\n", cmd.UseLine())
	}
	if cmd.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", unindent(cmd.Example))
	}
	if cmd.HasAvailableLocalFlags() && hasOwnFlags(cmd) {
		b.WriteString("\n")
		flagTable(b, cmd.LocalNonPersistentFlags())
	}
}

func hasOwnFlags(cmd *cobra.Command) (found bool) {
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) { found = found || shown(f) })
	return found
}

func shown(f *pflag.Flag) bool { return !f.Hidden && f.Name != "help" }

// flagTable lists flags by name.
func flagTable(b *strings.Builder, flags *pflag.FlagSet) {
	b.WriteString("| flag | meaning |\n| --- | --- |\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if !shown(f) {
			return
		}
		name, usage := describe(f)
		fmt.Fprintf(b, "| `%s` | %s |\n", name, strings.ReplaceAll(usage, "|", "\\|"))
	})
}

// describe is how a flag is written, and what it means.
func describe(f *pflag.Flag) (name, usage string) {
	kind, usage := pflag.UnquoteUsage(f)
	name = "--" + f.Name
	if kind != "" {
		name += " " + kind
	}
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	switch value := f.DefValue; {
	case value == "" || value == "false" || value == "0" || value == "0s" || value == "[]" || strings.Contains(usage, "default"):
	default:
		usage += " (default " + value + ")"
	}
	return name, usage
}

// prose writes the text of a command: paragraphs, with indented lines as they are.
func prose(b *strings.Builder, text string) {
	inBlock := false
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		indented := strings.HasPrefix(line, "  ")
		switch {
		case indented && !inBlock:
			b.WriteString("\n```\n")
		case !indented && inBlock:
			b.WriteString("```\n")
		}
		inBlock = indented
		if indented {
			b.WriteString(strings.TrimPrefix(line, "  ") + "\n")
			continue
		}
		b.WriteString(escape(line) + "\n")
	}
	if inBlock {
		b.WriteString("```\n")
	}
	b.WriteString("\n")
}

// escape keeps Markdown from reading what belongs to a command.
func escape(line string) string {
	return strings.NewReplacer("<", "\\<", "*", "\\*", "_", "\\_", "[", "\\[").Replace(line)
}

func unindent(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}
