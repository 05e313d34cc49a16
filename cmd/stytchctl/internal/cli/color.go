package cli

import (
	"io"
)

const (
	red    = "31"
	yellow = "33"
	bold   = "1"
)

// paint colors a text if w shows colors.
func (a *App) paint(w io.Writer, code, text string) string {
	switch a.Flags.Color {
	case "never":
		return text
	case "always":
	default:
		if !isTerminal(w) || a.Getenv("NO_COLOR") != "" || a.Getenv("TERM") == "dumb" {
			return text
		}
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
