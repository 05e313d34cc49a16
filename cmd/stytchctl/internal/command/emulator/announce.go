package emulator

import (
	"fmt"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/readyfile"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/server"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/emulator"
)

// announcement is the line that serve prints with -o json.
type announcement struct {
	URL       string `json:"url"`
	AdminURL  string `json:"admin_url,omitempty"`
	ProjectID string `json:"project_id"`
}

// ready is what --ready-file holds.
type ready struct {
	announcement
	ProjectSecret string `json:"project_secret"`
}

// announce shows that the server is ready.
func (f *serveFlags) announce(app *cli.App, s *server.Server, file *readyfile.File, c credential) error {
	a := announcement{s.URL(), s.AdminURL(), c.projectID}
	if err := file.Write(ready{a, c.secret.Reveal()}); err != nil {
		return err
	}
	if app.Machine() {
		return cli.PrintOne(app, a)
	}
	where := "in memory"
	if f.data != "" {
		where = "kept in " + f.data
	}
	line := fmt.Sprintf("local Stytch at %s, %s: export STYTCH_BASE_URL=%s STYTCH_PROJECT_ID=%s", a.URL, where, a.URL, a.ProjectID)
	if c.public {
		line += " STYTCH_PROJECT_SECRET=" + c.secret.Reveal()
	} else {
		line += " (and STYTCH_PROJECT_SECRET, " + c.source + ")"
	}
	return cli.PrintText(app, []byte(line+"\n"))
}

// logRequest prints what -v promises, and why a request was refused.
func logRequest(app *cli.App) func(emulator.Request) {
	routes := map[string]string{}
	for _, op := range operation.All {
		routes[op.ID] = op.Path
	}
	return func(r emulator.Request) {
		route, status := routes[r.Operation], fmt.Sprint(r.Status)
		if route == "" {
			route = "(no operation)"
		}
		if r.Status == 0 {
			status = "no response"
		}
		line := fmt.Sprintf("%s %s: %s, request id %s, %v", r.Method, route, status, r.RequestID, r.Duration.Round(time.Microsecond))
		if r.Reason != "" {
			line += ": " + r.Reason
		}
		fmt.Fprintln(app.Err, line)
	}
}
