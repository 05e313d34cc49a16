package cli

import (
	"context"
	"fmt"
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
	before, err := term.GetState(int(file.Fd()))
	if err != nil {
		return secret.String{}, err
	}
	type answer struct {
		text []byte
		err  error
	}
	read := make(chan answer, 1)
	fmt.Fprintf(a.Err, "%s ", question)
	go func() {
		text, err := term.ReadPassword(int(file.Fd()))
		read <- answer{text, err}
	}()
	defer fmt.Fprintln(a.Err)
	select {
	case got := <-read:
		text := strings.TrimSpace(string(got.text))
		if got.err != nil || text == "" {
			return secret.String{}, Usagef("no secret was entered. Nothing was done.")
		}
		return secret.New(text), nil
	case <-ctx.Done():
		_ = term.Restore(int(file.Fd()), before)
		return secret.String{}, ctx.Err()
	}
}
