package emulator

import (
	"net/http"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/console"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/server"
	"github.com/stytchkit/m2m/stytch/secret"
)

// newConsole makes the console of a server. storage says where the project is kept, and caFile is
// what clients have to trust, or "".
func newConsole(storage, caFile string) func(*server.Server) (http.Handler, error) {
	return func(s *server.Server) (http.Handler, error) {
		i := s.Instance()
		id, text := i.Emulator().Credentials()
		config := console.Config{
			API:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { i.Emulator().Trusted().ServeHTTP(w, r) }),
			Admin:         admin.New(i, s.Ending()),
			Address:       s.URL(),
			ProjectID:     id,
			ProjectSecret: secret.New(text),
			Issuer:        i.Issuer,
			Storage:       storage,
			CAFile:        caFile,
		}
		if s.NeedsToken() {
			config.Authorize = s.CheckToken
		}
		return console.New(config)
	}
}
