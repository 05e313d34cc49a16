package token

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/token"
)

// A formatter prints a token. This is the one place where a token leaves the program.
type formatter func(*cli.App, token.Token) error

var formatters = map[string]formatter{
	"raw": func(app *cli.App, t token.Token) error { return write(app, "%s\n", t.Value.Reveal()) },
	"header": func(app *cli.App, t token.Token) error {
		return write(app, "Authorization: Bearer %s\n", t.Value.Reveal())
	},
	"env": func(app *cli.App, t token.Token) error {
		text := "STYTCH_ACCESS_TOKEN=" + t.Value.Reveal() + "\n" // a bearer token needs no quotation marks
		if !t.Expiry.IsZero() {
			text += "STYTCH_ACCESS_TOKEN_EXPIRES_AT=" + t.Expiry.UTC().Format(time.RFC3339) + "\n"
		}
		return write(app, "%s", text)
	},
	"json": printJSON,
	"k8s":  printExecCredential,
}

const formatNames = "raw, json, header, k8s or env"

// chooseFormat finds the format of --format. With -o json it is JSON.
func chooseFormat(app *cli.App, name string) (formatter, error) {
	switch {
	case name == "" && app.Machine():
		name = "json"
	case name == "":
		name = "raw"
	case name != "json" && (app.Machine() || app.Flags.JQ != ""):
		return nil, cli.Usagef("--format %s and -o %s exclude each other: leave one out. Nothing was sent.", name, app.Flags.Output)
	}
	format, ok := formatters[name]
	if !ok {
		return nil, cli.Usagef("--format: %q is not %s. Nothing was sent.", name, formatNames)
	}
	if name != "json" && app.Flags.Fields != nil {
		return nil, cli.Usagef("--fields needs --format json. Nothing was sent.")
	}
	return format, nil
}

func write(app *cli.App, format string, args ...any) error {
	_, err := fmt.Fprintf(app.Out, format, args...)
	return cli.PipeError(err)
}

// answer is a token as JSON, with the names of RFC 6749.
type answer struct {
	AccessToken string     `json:"access_token"`
	TokenType   string     `json:"token_type"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	ExpiresIn   int64      `json:"expires_in,omitempty"` // seconds
	Scopes      []string   `json:"scopes"`
}

func printJSON(app *cli.App, t token.Token) error {
	a := answer{AccessToken: t.Value.Reveal(), TokenType: "Bearer", Scopes: t.Scopes}
	if !t.Expiry.IsZero() {
		at := t.Expiry.UTC().Truncate(time.Second)
		a.ExpiresAt, a.ExpiresIn = &at, int64(math.Max(0, at.Sub(app.Now()).Seconds()))
	}
	if !app.Machine() {
		app.Flags.Output = cli.JSON
	}
	return cli.PrintOne[answer](app, a)
}

// The versions of ExecCredential, of which the caller names one.
const execCredentialV1 = "client.authentication.k8s.io/v1"

// printExecCredential prints what kubectl expects of a credential plugin.
func printExecCredential(app *cli.App, t token.Token) error {
	var info struct {
		APIVersion string `json:"apiVersion"`
	}
	// What is not JSON is not from kubectl, and v1 is what all of today read.
	if json.Unmarshal([]byte(app.Getenv("KUBERNETES_EXEC_INFO")), &info) != nil || !strings.HasPrefix(info.APIVersion, "client.authentication.k8s.io/") {
		info.APIVersion = execCredentialV1
	}
	status := map[string]string{"token": t.Value.Reveal()}
	if !t.Expiry.IsZero() {
		status["expirationTimestamp"] = t.Expiry.UTC().Format(time.RFC3339)
	}
	text, err := json.Marshal(map[string]any{"apiVersion": info.APIVersion, "kind": "ExecCredential", "status": status})
	if err != nil {
		return err
	}
	return write(app, "%s\n", text)
}
