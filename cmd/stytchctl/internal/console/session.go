package console

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	sessionCookie = "session"
	noticeCookie  = "notice"

	sessionLife = 12 * time.Hour
	maxSessions = 256
)

// sessions are the browsers that have shown the admin token. Without an admin token, none is
// needed.
type sessions struct {
	authorize func(token string) bool
	suffix    string // of the cookies' names: servers on two ports of a host share their cookies

	mu   sync.Mutex
	open map[string]session
}

type session struct {
	formToken string // in every form of the session
	expires   time.Time
}

func newSessions(authorize func(string) bool, address string) *sessions {
	sum := sha256.Sum256([]byte(address))
	return &sessions{authorize: authorize, suffix: hex.EncodeToString(sum[:4]), open: map[string]session{}}
}

func (s *sessions) cookieName(name string) string { return "stytch_emulator_" + name + "_" + s.suffix }

// cookie is a cookie of the console that scripts cannot read and other sites do not send. A
// negative age removes it.
func (s *sessions) cookie(r *http.Request, name, value string, age int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure wherever the server has TLS
		Name: s.cookieName(name), Value: value, Path: Root, MaxAge: age,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	}
}

// start opens a session and returns its key.
func (s *sessions) start(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first string
	for key, open := range s.open {
		if now.After(open.expires) {
			delete(s.open, key)
		} else if first == "" || open.expires.Before(s.open[first].expires) {
			first = key
		}
	}
	if len(s.open) >= maxSessions {
		delete(s.open, first)
	}
	key := rand.Text()
	s.open[key] = session{formToken: rand.Text(), expires: now.Add(sessionLife)}
	return key
}

func (s *sessions) end(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, key)
}

// of finds the session of a request.
func (s *sessions) of(r *http.Request) (found session, key string, ok bool) {
	cookie, err := r.Cookie(s.cookieName(sessionCookie))
	if err != nil {
		return session{}, "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok = s.open[cookie.Value]
	if ok && time.Now().After(found.expires) {
		delete(s.open, cookie.Value)
		return session{}, "", false
	}
	return found, cookie.Value, ok
}

// formToken is what forms of this request's session must send back.
func (s *sessions) formToken(r *http.Request) string {
	if s.authorize == nil {
		return ""
	}
	found, _, _ := s.of(r)
	return found.formToken
}

// require lets requests of a session through, and those that change something only with the token
// of the session's forms.
func (s *sessions) require(next http.Handler, forbid http.HandlerFunc) http.Handler {
	if s.authorize == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open, _, ok := s.of(r)
		switch {
		case !ok && r.Method == http.MethodGet && r.URL.Path != Root+"requests/stream":
			http.Redirect(w, r, Root+"sign-in?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		case !ok, r.Method != http.MethodGet && r.Method != http.MethodHead && !same(r.PostFormValue(formTokenField), open.formToken):
			forbid(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

const formTokenField = "form_token"

func same(a, b string) bool { return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// ownPath is where a sign-in leads: a page of the console, whatever the address says.
func ownPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, Root) || strings.Contains(next, "\\") {
		return Root
	}
	return next
}

// pathOf is the path of a location of the console, without its query.
func pathOf(location string) string {
	path, _, _ := strings.Cut(location, "?")
	path, _, _ = strings.Cut(path, "#")
	return path
}
