package reference

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stytchkit/m2m/stytch"
)

// manPage is the man page of a command, in the man macros of roff.
func manPage(cmd *cobra.Command, date time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %q 1 %q %q %q\n", strings.ToUpper(pageName(cmd)), date.Format("Jan 2006"), "stytchctl "+stytch.Version, "stytchctl")
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(pageName(cmd)), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(cmd.UseLine()))
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	b.WriteString(".SH DESCRIPTION\n")
	manProse(&b, text)
	manFlags(&b, "OPTIONS", cmd.NonInheritedFlags())
	manFlags(&b, "GLOBAL OPTIONS", cmd.InheritedFlags())
	if cmd.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(unindent(cmd.Example)))
	}
	if others := related(cmd); len(others) > 0 {
		b.WriteString(".SH SEE ALSO\n")
		for i, other := range others {
			end := ",\n"
			if i == len(others)-1 {
				end = "\n"
			}
			fmt.Fprintf(&b, ".BR %s (1)%s", roff(pageName(other)), end)
		}
	}
	return b.String()
}

// related are the command above and those below.
func related(cmd *cobra.Command) (found []*cobra.Command) {
	if cmd.HasParent() {
		found = append(found, cmd.Parent())
	}
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			found = append(found, child)
		}
	}
	return found
}

// manProse writes paragraphs, and indented lines as they are.
func manProse(b *strings.Builder, text string) {
	inBlock := false
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if indented := strings.HasPrefix(line, "  "); indented != inBlock {
			if inBlock = indented; indented {
				b.WriteString(".nf\n")
			} else {
				b.WriteString(".fi\n")
			}
		}
		if line == "" {
			line = ".PP"
		} else {
			line = roff(line)
		}
		b.WriteString(line + "\n")
	}
	if inBlock {
		b.WriteString(".fi\n")
	}
}

func manFlags(b *strings.Builder, title string, flags *pflag.FlagSet) {
	head := fmt.Sprintf(".SH %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if !shown(f) {
			return
		}
		name, usage := describe(f)
		fmt.Fprintf(b, "%s.TP\n.B %s\n%s\n", head, roff(name), roff(usage))
		head = ""
	})
}

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`)

// roff is a text in which no character is a command of roff.
func roff(text string) string {
	lines := strings.Split(roffEscapes.Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
