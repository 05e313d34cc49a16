package rotate

import (
	"bytes"
	"encoding/json"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/secret"
)

// mostCredentials is far more than a file with credentials has.
const mostCredentials = 64 << 10

// readSecret reads the secret of a client from a file that has it alone, or in the JSON that
// --secret-to file: writes. No error quotes it.
func readSecret(app *cli.App, flag, file, id, nothing string) (secret.String, error) {
	text, err := app.ReadFile(flag, file, mostCredentials)
	if err != nil {
		return secret.String{}, cli.Errorf("", "%w. %s", err, nothing)
	}
	text = bytes.TrimSpace(text)
	if bytes.HasPrefix(text, []byte("{")) {
		var held struct {
			ClientID string `json:"client_id"`
			Secret   string `json:"client_secret"`
		}
		switch err := json.Unmarshal(text, &held); {
		case err != nil || held.Secret == "": // whose error might quote
			return secret.String{}, cli.Usagef("%s: it is no JSON object with client_id and client_secret. %s", flag, nothing)
		case held.ClientID != id:
			return secret.String{}, cli.Usagef("%s: it has the secret of client %.256q, not of %.256q. %s", flag, held.ClientID, id, nothing)
		}
		return secret.New(held.Secret), nil
	}
	if len(text) == 0 || bytes.ContainsAny(text, "\r\n") {
		return secret.String{}, cli.Usagef("%s: it must hold the secret alone, on one line. %s", flag, nothing)
	}
	return secret.New(string(text)), nil
}
