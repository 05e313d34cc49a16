package console

import (
	"net/http"
	"time"
)

type signInPage struct {
	Form form
	Next string
}

func (c *Console) signInForm(w http.ResponseWriter, r *http.Request) {
	next := ownPath(r.URL.Query().Get("next"))
	if c.config.Authorize == nil {
		http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // a path of the console: see ownPath
		return
	}
	c.render(w, r, http.StatusOK, "signin", page{Title: "Sign in", Bare: true, Data: signInPage{Next: next}})
}

func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	next := ownPath(r.PostFormValue("next"))
	if c.config.Authorize == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	if !c.config.Authorize(r.PostFormValue("token")) {
		f := form{}
		f.fail("token", "This is not the admin token. It is in the file that the server was started with (--admin-token-file).")
		c.render(w, r, http.StatusUnauthorized, "signin", page{Title: "Sign in", Bare: true, Data: signInPage{Form: f, Next: next}})
		return
	}
	http.SetCookie(w, c.sessions.cookie(r, sessionCookie, c.sessions.start(time.Now()), int(sessionLife.Seconds())))
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) {
	if _, key, ok := c.sessions.of(r); ok {
		c.sessions.end(key)
	}
	http.SetCookie(w, c.sessions.cookie(r, sessionCookie, "", -1))
	http.Redirect(w, r, Root+"sign-in", http.StatusSeeOther)
}

// forbid refuses a form without its token, or a stream without a session.
func (c *Console) forbid(w http.ResponseWriter, r *http.Request) {
	c.render(w, r, http.StatusForbidden, "problem", page{Title: "Not signed in", Bare: true, Data: problem{
		Title: "Not signed in", Text: "The form was not sent from a page of this session, or the session has ended. Nothing was changed.",
		Link: Root + "sign-in", LinkText: "Sign in",
	}})
}
