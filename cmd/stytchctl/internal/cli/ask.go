package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
)

// Confirm asks a person before something that cannot be undone. With a word, that word must be
// typed: an id in a live project. --yes answers for them. Where no person can be asked, it fails
// and says which flag answers.
func (a *App) Confirm(ctx context.Context, question, word string) error {
	if a.Flags.Yes {
		return nil
	}
	if !a.Interactive() {
		return Usagef("%s No person can be asked here: give --yes. Nothing was changed.", question)
	}
	hint := "[y/N]"
	if word != "" {
		hint = "Type " + word + " to confirm:"
	}
	fmt.Fprintf(a.Err, "%s %s ", question, hint)
	answer, err := a.readLine(ctx)
	if err != nil {
		return err
	}
	if word != "" && answer == word || word == "" && (strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")) {
		return nil
	}
	return Errorf(Interrupted, "not confirmed. Nothing was changed.")
}

// readLine reads one line from stdin, or ends with ctx: then the line that comes later is lost with
// the process.
func (a *App) readLine(ctx context.Context) (string, error) {
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(a.In).ReadString('\n')
		read <- line{strings.TrimSpace(text), err}
	}()
	select {
	case l := <-read:
		if l.err != nil && l.text == "" {
			return "", Usagef("stdin ended before the answer. Nothing was changed.")
		}
		return l.text, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
