package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/stytch/emulator"
)

// consolePath is where the console is.
const consolePath = "/_emulator/"

// handler puts the APIs together, behind the checks that all of them need.
func (s *Server) handler() (http.Handler, error) {
	api := admin.New(s.instance, s.ending)
	var console http.Handler
	if s.config.Console != nil && !s.config.NoAdmin {
		var err error
		if console, err = s.config.Console(s); err != nil {
			return nil, fmt.Errorf("server: %w", err)
		}
	}
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		patient := &patientWriter{ResponseWriter: w, control: http.NewResponseController(w), timeout: s.timeouts.write}
		_ = patient.control.SetWriteDeadline(time.Time{}) // that of the response before on this connection
		w = patient
		defer s.recover(w)
		path := r.URL.Path
		own := strings.HasPrefix(path, consolePath) || path == strings.TrimSuffix(consolePath, "/")
		switch {
		case !s.hosts.allow(r.Host):
			s.refuse(w, r, http.StatusMisdirectedRequest, "The host is not one of this server: use a loopback name, or start the server with --host NAME.")
		case !own && origin.Check(r) != nil: // a form with JSON as text, to an address with the usual secret
			s.refuse(w, r, http.StatusForbidden, "A page of another origin sent the request: call the API from a program. Nothing was changed.")
		case !own:
			s.instance.ServeHTTP(w, r)
		case admin.Public(path):
			api.ServeHTTP(w, r)
		case s.config.NoAdmin:
			refuse(w, http.StatusNotFound, "not_found", "The server was started with --no-admin.")
		case strings.HasPrefix(path, admin.Base+"/"):
			if !s.token.allows(r) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="emulator admin"`)
				refuse(w, http.StatusUnauthorized, "unauthorized", "The admin API of this server needs the admin token as a bearer token. Nothing was changed.")
				return
			}
			api.ServeHTTP(w, r)
		case console != nil:
			console.ServeHTTP(w, r)
		default:
			refuse(w, http.StatusNotFound, "not_found", "There is no such route.")
		}
	}), nil
}

// recover reports a bug. What it panicked with stays out of the report: it may hold anything.
func (s *Server) recover(w http.ResponseWriter) {
	switch p := recover(); {
	case p == nil:
	case p == http.ErrAbortHandler: //nolint:errorlint // a panic value, not a wrapped error; a fault ends the connection
		panic(p)
	default:
		if s.config.OnBug != nil {
			s.config.OnBug(debug.Stack())
		}
		refuse(w, http.StatusInternalServerError, "internal_error", "A bug of the server ended the request.")
	}
}

// refuse refuses what must not reach the emulator, and logs it, so that a person who looks for the
// request finds the reason.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	s.instance.Requests().Add(emulator.Request{
		Time: s.instance.Clock().Now, Method: r.Method, Path: short(r.URL.EscapedPath()), Status: status, ErrorType: "bad_request", Reason: reason,
	})
	refuse(w, status, "bad_request", reason)
}

func short(path string) string { return path[:min(len(path), 512)] }

func refuse(w http.ResponseWriter, status int, kind, message string) {
	text, _ := json.Marshal(admin.Error{StatusCode: status, ErrorType: kind, ErrorMessage: message}) // texts and a number
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// A patientWriter gives each write its own deadline. One deadline for the whole response would end
// a stream, and a response that a fault delays.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
}

func (w *patientWriter) Write(p []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.timeout)) // not supported in tests without a connection
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find the connection.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
