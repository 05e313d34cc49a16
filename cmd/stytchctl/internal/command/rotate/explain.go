package rotate

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// A stopContext is the command that failed, as far as advice depends on it.
type stopContext struct {
	id      string
	app     bool
	journal []string // the flags of a command that needs the journal
	engine  []string // and of one that rotates
}

func (f *journalFlags) stopContext(id string) stopContext {
	return stopContext{id: id, journal: f.words(), engine: append(f.words(), "--deliver", "DEST")}
}

func (f *engineFlags) stopContext(id string) stopContext {
	words := f.words()
	if len(f.deliver) == 0 {
		words = append(words, "--deliver", "DEST")
	}
	return stopContext{id: id, app: f.app, journal: f.journalFlags.words(), engine: words}
}

// stopOf is the first stop that an error is, or nil.
func stopOf(err error) *stop {
	i := slices.IndexFunc(stops, func(s stop) bool { return errors.Is(err, s.err) })
	if i < 0 {
		return nil
	}
	return &stops[i]
}

// stopped explains a failure of the engine: what happened, in which state, and the commands that
// help. Other failures keep their class.
func stopped(ctx context.Context, err error, c stopContext) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
		return interrupted(ended, err, c)
	}
	var own *cli.Error
	if errors.As(err, &own) && own.Class != "" {
		return &explained{cli.Error{Class: own.Class, Type: own.Type, Message: describe(err)}, err}
	}
	s := stopOf(err)
	if s == nil {
		s = &stop{
			class: cli.Classify(err),
			fix:   []advice{{"rotate resume ID", "to go on from here"}}, fresh: []advice{{"rotate check ID", "when the cause is fixed"}},
		}
	}
	var b strings.Builder
	b.WriteString(describe(err))
	for _, a := range s.look {
		b.WriteString("\n  look: " + c.line(a))
	}
	for _, a := range s.fixes(err) {
		b.WriteString("\n  fix: " + c.line(a))
	}
	return &explained{cli.Error{Class: s.class, Type: s.name, Message: b.String()}, err}
}

// interrupted says how to go on after an interrupt or the end of --timeout.
func interrupted(ended, err error, c stopContext) error {
	e := cli.Error{Class: cli.Interrupted, Message: "interrupted"}
	if errors.Is(ended, context.DeadlineExceeded) {
		e.Class, e.Message = cli.Unavailable, "the time of --timeout is over"
	}
	switch {
	case errors.Is(err, rotate.ErrCanceled):
		e.Message += ": the rotation was canceled, and the current secret stays in use."
	case c.id == "":
		e.Message += ": the steps in progress were finished, and no secret is lost.\n  go on: " + c.line(advice{command: "rotate resume --all"})
	case inProgress(err):
		e.Message += ": the step in progress was finished, and no secret is lost. " + describe(err) +
			"\n  go on: " + c.line(advice{command: "rotate resume ID"})
	default:
		e.Message += ". Nothing was begun."
	}
	return &explained{e, err}
}

// inProgress reports whether an error left a rotation that can be resumed.
func inProgress(err error) bool {
	var e *rotate.Error
	return errors.As(err, &e) && e.Stage != "" && !e.Stage.Final() && !strings.HasPrefix(e.Advice(), "nothing was begun")
}

// explained is a failure in the words of the command line. The cause stays visible to errors.Is.
type explained struct {
	said  cli.Error
	cause error
}

func (e *explained) Error() string   { return e.said.Message }
func (e *explained) Unwrap() []error { return []error{&e.said, e.cause} }

// line is an advice with the flags of the command that failed.
func (c stopContext) line(a advice) string {
	words := strings.Fields(a.command)
	if c.app && words[0] == "clients" {
		words[0] = "apps"
	}
	for i, word := range words {
		if word == "ID" && c.id != "" {
			words[i] = c.id
		}
	}
	if words[0] == "rotate" {
		words = append(words, c.flags(words[1])...)
	}
	line := commandLine(words)
	if a.when != "" {
		line += "  # " + a.when
	}
	return line
}

// flags are those that a command needs.
func (c stopContext) flags(verb string) []string {
	switch verb {
	case "step":
		if c.app {
			return []string{"--app"}
		}
		return nil
	case "status", "list", "rekey", "fsck", "purge":
		return c.journal
	case "set-current":
		if c.app {
			return append(slices.Clone(c.journal), "--app")
		}
		return c.journal
	}
	return c.engine
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,{}-]+$`)

// commandLine is a command as a shell takes it.
func commandLine(words []string) string {
	quoted := []string{"stytchctl"}
	for _, word := range words {
		if !plainWord.MatchString(word) {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		quoted = append(quoted, word)
	}
	return strings.Join(quoted, " ")
}

// flagNames are what the engine's errors call by the names of Go.
var flagNames = strings.NewReplacer(
	"there is no WithCurrent, and no place can be read", "no place can be read",
	"WithCurrent", "set-current", "WithTakeOver", "--take-over", "WithUnknownCurrent", "--unknown-current",
	"call Secrets.LastFour; if it reports one, call Cancel, then Start again", "resume drops it and starts again",
	"call Secrets.LastFour: if it reports no next secret, the rotation was completed or canceled, and a token request proves which secret works", "resume finds out",
	"call Secrets.LastFour: if it reports no next secret, the rotation was canceled or completed, and a token request proves which secret works", "resume finds out",
	"SetCurrent: ", "", "rotate: ", "", "call postgres.Migrate first", "rotate run makes them",
)

// describe is what happened: the client, the state, the cause, which secrets work.
func describe(err error) string {
	var e *rotate.Error
	if !errors.As(err, &e) {
		return flat(err)
	}
	var b strings.Builder
	if e.ClientID != "" {
		fmt.Fprintf(&b, "client %.256q: ", e.ClientID)
	}
	if e.Stage != "" {
		fmt.Fprintf(&b, "%s: ", e.Stage)
	}
	b.WriteString(flat(e.Err))
	if (e.Working != rotate.Working{}) {
		fmt.Fprintf(&b, "; %s", e.Working)
	}
	b.WriteString(".")
	if strings.HasPrefix(e.Advice(), "nothing was begun") {
		b.WriteString(" Nothing was begun.")
	}
	return b.String()
}

// flat is an error on one line. What was joined twice is said once.
func flat(err error) string {
	var parts []string
	for part := range strings.SplitSeq(flagNames.Replace(err.Error()), "\n") {
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "; ")
}
