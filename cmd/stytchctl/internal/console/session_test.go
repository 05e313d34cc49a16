package console

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestOwnPath(t *testing.T) {
	for next, want := range map[string]string{
		"":                                 Root,
		"/_emulator/clients?q=a":           "/_emulator/clients?q=a",
		"/v1/m2m/clients":                  Root,
		"https://example.com/_emulator/":   Root,
		"//example.com/_emulator/":         Root,
		`/\example.com/_emulator/`:         Root,
		`/_emulator/\example.com`:          Root,
		"javascript:alert(1)":              Root,
		"/_emulator/../v1/m2m/clients\x00": Root,
	} {
		if got := ownPath(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

func TestSessions(t *testing.T) {
	s := newSessions(func(string) bool { return true }, "http://127.0.0.1:4010")
	key := s.start(time.Now())
	r := httptest.NewRequest(http.MethodGet, Root, nil)
	if _, _, ok := s.of(r); ok {
		t.Error("a request without a cookie has a session")
	}
	r.AddCookie(s.cookie(r, sessionCookie, key, 1))
	open, _, ok := s.of(r)
	if !ok || open.formToken == "" || s.formToken(r) != open.formToken {
		t.Errorf("the session is %v, %v", open, ok)
	}
	s.end(key)
	if _, _, ok := s.of(r); ok {
		t.Error("a session that was ended is open")
	}
	old := s.start(time.Now().Add(-sessionLife - time.Second))
	r = httptest.NewRequest(http.MethodGet, Root, nil)
	r.AddCookie(s.cookie(r, sessionCookie, old, 1))
	if _, _, ok := s.of(r); ok {
		t.Error("a session is open after its time")
	}
	for range maxSessions + 10 {
		s.start(time.Now())
	}
	if len(s.open) != maxSessions {
		t.Errorf("%d sessions are open", len(s.open))
	}
}

// Servers on two ports of a host share their cookies, so each has names of its own.
func TestCookieNames(t *testing.T) {
	a, b := newSessions(nil, "http://127.0.0.1:4010"), newSessions(nil, "http://127.0.0.1:4011")
	if a.cookieName(sessionCookie) == b.cookieName(sessionCookie) {
		t.Error("two servers share a cookie")
	}
}
