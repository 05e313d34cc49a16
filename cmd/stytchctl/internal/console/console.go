package console

import (
	"net/http"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A Config is what a console shows.
type Config struct {
	API   http.Handler // the operations of Stytch, without faults and without the request log
	Admin http.Handler // the admin API under /_emulator/v1/, without its token

	Address       string // of the server, such as http://127.0.0.1:4010
	ProjectID     string
	ProjectSecret secret.String
	Storage       string // where the project is kept, as a sentence
	CAFile        string // the authority to trust if the server made its own certificate; "" otherwise

	// Issuer is the iss claim of the project's tokens.
	Issuer func() (string, error)

	// Authorize reports whether a text is the admin token. Nil means that none is needed.
	Authorize func(token string) bool
}

// A Console is the handler of all pages.
type Console struct {
	config   Config
	api      *stytch.Client
	admin    adminAPI
	views    *views
	notices  *notices
	sessions *sessions
	handler  http.Handler
}

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }
