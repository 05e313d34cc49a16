package console

import (
	"net/http"
	"time"
)

// done redirects to a page of the console that shows a notice.
func (c *Console) done(w http.ResponseWriter, r *http.Request, location string, one notice) {
	one.path = pathOf(location)
	http.SetCookie(w, c.sessions.cookie(r, noticeCookie, c.notices.add(one, time.Now()), int(noticeLife.Seconds())))
	http.Redirect(w, r, location, http.StatusSeeOther)
}

// noticeFor takes the notice that waits for this page.
func (c *Console) noticeFor(w http.ResponseWriter, r *http.Request) *notice {
	cookie, err := r.Cookie(c.sessions.cookieName(noticeCookie))
	if err != nil {
		return nil
	}
	one := c.notices.take(cookie.Value, r.URL.EscapedPath(), time.Now())
	if one != nil {
		http.SetCookie(w, c.sessions.cookie(r, noticeCookie, "", -1))
	}
	return one
}
