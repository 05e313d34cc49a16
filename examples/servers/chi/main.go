// Command chi protects an API built with go-chi/chi: which uses the middleware of net/http.
//
// It needs STYTCH_PROJECT_ID and listens on 127.0.0.1:8080.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/stytchkit/m2m/stytch/verify"
)

func newHandler(v *verify.Verifier) http.Handler {
	r := chi.NewRouter()
	r.Get("/health", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	r.Group(func(r chi.Router) {
		r.Use(v.Require("read:users")) // for the whole group
		r.Get("/users", hello)
		r.With(v.Require("write:users")).Post("/users", hello) // one more scope for one route
	})
	return r
}

func hello(w http.ResponseWriter, r *http.Request) {
	claims, _ := verify.ClaimsFromContext(r.Context()) // Require has put them there
	_, _ = fmt.Fprintln(w, "hello", claims.ClientID)
}

func main() {
	v, err := verify.New(os.Getenv("STYTCH_PROJECT_ID"))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: newHandler(v), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
