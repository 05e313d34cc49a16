package console

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
)

type dataPage struct {
	Storage string
	Import  form
	Reset   form
}

// maxImport is how much an imported state may be, as the admin API says, and the form around it.
const maxImport = 256<<20 + maxForm

func (c *Console) data(w http.ResponseWriter, r *http.Request) {
	c.renderData(w, r, http.StatusOK, form{}, newForm("to", "seed"))
}

func (c *Console) renderData(w http.ResponseWriter, r *http.Request, status int, imported, reset form) {
	c.render(w, r, status, "data", page{Title: "Data", Section: "data", Data: dataPage{c.config.Storage, imported, reset}})
}

func (c *Console) export(w http.ResponseWriter, r *http.Request) {
	export := r.Clone(r.Context())
	export.URL = &url.URL{Path: Root + "v1/state"}
	export.RequestURI = export.URL.Path
	export.Header.Del("Cookie")
	w.Header().Set("Content-Disposition", `attachment; filename="stytch-emulator-state.json"`)
	c.config.Admin.ServeHTTP(w, export)
}

func (c *Console) importState(w http.ResponseWriter, r *http.Request) {
	f := form{}
	file, _, err := r.FormFile("state")
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		f.fail("state", "The file is larger than 256 MiB. Nothing was changed.")
	case err != nil:
		f.fail("state", "Choose a file that the export made. Nothing was changed.")
	}
	var now admin.Summary
	if !f.Failed() {
		defer file.Close()
		err = c.admin.do(r.Context(), http.MethodPut, "/state", file, &now)
		if text, ok := refusal(err); ok {
			f.fail("state", text)
		} else if err != nil {
			c.failed(w, r, "data", err)
			return
		}
	}
	if f.Failed() {
		c.renderData(w, r, http.StatusUnprocessableEntity, f, newForm("to", "seed"))
		return
	}
	c.done(w, r, Root+"data", notice{Text: "The state was imported: " + summary(now) + "."})
}

func (c *Console) reset(w http.ResponseWriter, r *http.Request) {
	f, ok := c.posted(w, r)
	if !ok {
		return
	}
	set := admin.ResetRequest{To: admin.ResetRequestTo(f.Value("to"))}
	for _, keep := range f.Values["keep"] {
		set.Keep = append(set.Keep, admin.ResetRequestKeep(keep))
	}
	var now admin.Summary
	err := c.admin.do(r.Context(), http.MethodPost, "/reset", set, &now)
	if text, ok := refusal(err); ok {
		f.fail("to", text)
		c.renderData(w, r, http.StatusUnprocessableEntity, form{}, f)
		return
	}
	if err != nil {
		c.failed(w, r, "data", err)
		return
	}
	c.done(w, r, Root+"data", notice{Text: "The project was reset: " + summary(now) + "."})
}

func summary(s admin.Summary) string {
	return plural(s.M2MClients, "M2M client", "M2M clients") + ", " + plural(s.ConnectedApps, "Connected App", "Connected Apps") + ", " +
		plural(s.Keys, "key", "keys") + ", " + plural(s.Faults, "fault", "faults")
}
