package console

import (
	"bytes"
	"errors"
	"net/http"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
)

// A page is what the layout shows around the content of a template.
type page struct {
	Title   string
	Section string // of the navigation
	Bare    bool   // without navigation and state, for who is not signed in
	Data    any

	// render fills these.
	Root, ProjectID, Address, AssetVersion string
	FormToken                              string
	Guarded                                bool // there is an admin token, so one can sign out
	Navigation                             []navigationGroup
	Notice                                 *notice
	Faults                                 []activeFault
	Active                                 []activeFault // those that will still strike
	Clock                                  admin.Clock
	Offset                                 time.Duration
	Trouble                                string // why the state cannot be shown
}

type navigationGroup struct {
	Name  string
	Links []navigationLink
}

type navigationLink struct{ Section, Path, Name string }

var navigation = []navigationGroup{
	{"Project", []navigationLink{{"overview", "", "Overview"}, {"clients", "clients", "M2M clients"}, {"apps", "apps", "Connected Apps"}}},
	{"Traffic", []navigationLink{{"requests", "requests", "Requests"}, {"tokens", "tokens", "Tokens"}, {"keys", "keys", "Keys"}}},
	{"Situation", []navigationLink{{"faults", "faults", "Faults"}, {"clock", "clock", "Clock"}, {"behavior", "behavior", "Behavior"}, {"data", "data", "Data"}}},
	{"Help", []navigationLink{{"reference", "reference", "API reference"}}},
}

// render writes a page. It is complete before its first byte is sent, so that an error can still be
// a page of its own.
func (c *Console) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.Root, p.ProjectID, p.Address = Root, c.config.ProjectID, c.config.Address
	p.FormToken, p.Guarded = c.sessions.formToken(r), c.config.Authorize != nil
	if !p.Bare {
		p.Navigation = navigation
		p.Notice = c.noticeFor(w, r)
		faults, err := get[activeFaults](r.Context(), c.admin, "/faults")
		p.Faults = faults.Faults
		for _, f := range p.Faults {
			if !f.Spent() {
				p.Active = append(p.Active, f)
			}
		}
		if err == nil {
			p.Clock, err = get[admin.Clock](r.Context(), c.admin, "/clock")
			p.Offset, _ = time.ParseDuration(p.Clock.Offset)
		}
		if err != nil {
			p.Trouble = err.Error()
		}
	}
	var b bytes.Buffer
	view, err := c.views.page(name)
	if err == nil {
		err = view.Execute(&b, p)
	}
	if err != nil {
		http.Error(w, "The page cannot be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser may be gone
}

// Secret is the secret that the notice of the page shows, as a shell reads it; "" if it shows none.
func (p page) Secret() string {
	if p.Notice == nil || p.Notice.Secret.IsZero() {
		return ""
	}
	return quoted(p.Notice.Reveal())
}

// A problem is a page that says what failed and where to go.
type problem struct{ Title, Text, Link, LinkText string }

func (c *Console) notFound(w http.ResponseWriter, r *http.Request) {
	c.render(w, r, http.StatusNotFound, "problem", page{Title: "Not found", Data: problem{
		Title: "There is no such page", Text: "The console has no page at " + cell(r.URL.Path) + ".", Link: Root, LinkText: "Go to the overview",
	}})
}

// failed shows an error that the person cannot change in a form.
func (c *Console) failed(w http.ResponseWriter, r *http.Request, section string, err error) {
	status, title := http.StatusInternalServerError, "This did not work"
	var refused *adminError
	if errors.As(err, &refused) {
		status = refused.StatusCode
	}
	c.render(w, r, status, "problem", page{Title: title, Section: section, Data: problem{
		Title: title, Text: err.Error(), Link: Root + section, LinkText: "Go back",
	}})
}
