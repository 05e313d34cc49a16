package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/stytchkit/m2m/stytch/secret"
)

// AskSecret asks a person for a secret and does not show what is typed. Call it only if the App is
// interactive. The terminal shows text again afterwards, however it ends.
func (a *App) AskSecret(ctx context.Context, question string) (secret.String, error) {
	file, ok := a.In.(*os.File)
	if !ok {
		return secret.String{}, Usagef("%s No one can be asked here. Nothing was done.", question)
	}
	// The terminal stops showing text before it shows the question: nothing is typed too early.
	before, err := term.MakeRaw(int(file.Fd()))
	if err != nil {
		return secret.String{}, err
	}
	defer term.Restore(int(file.Fd()), before)
	type answer struct {
		text string
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		text, err := term.NewTerminal(readWriter{file, a.Err}, "").ReadPassword(question + " ")
		read <- answer{text, err}
	}()
	select {
	case got := <-read:
		text := strings.TrimSpace(got.text)
		switch {
		case errors.Is(got.err, io.EOF): // Ctrl-C and Ctrl-D
			fmt.Fprint(a.Err, "\r\n")
			return secret.String{}, Errorf(Interrupted, "no secret was entered. Nothing was done.")
		case got.err != nil || text == "":
			return secret.String{}, Usagef("no secret was entered. Nothing was done.")
		}
		return secret.New(text), nil
	case <-ctx.Done():
		fmt.Fprint(a.Err, "\r\n")
		return secret.String{}, ctx.Err()
	}
}

type readWriter struct {
	io.Reader
	io.Writer
}
