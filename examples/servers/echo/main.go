// Command echo protects an API built with labstack/echo, which takes middleware for net/http
// through echo.WrapMiddleware.
//
// It needs STYTCH_PROJECT_ID and listens on 127.0.0.1:8080.
package main

import (
	"log"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stytchkit/m2m/stytch/verify"
)

func newHandler(v *verify.Verifier) http.Handler {
	e := echo.New()
	e.GET("/health", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	users := e.Group("/users", echo.WrapMiddleware(v.Require("read:users")))
	users.GET("", hello)
	users.POST("", hello, echo.WrapMiddleware(v.Require("write:users")))
	return e
}

func hello(c echo.Context) error {
	claims, _ := verify.ClaimsFromContext(c.Request().Context()) // Require has put them there
	return c.String(http.StatusOK, "hello "+claims.ClientID+"\n")
}

func main() {
	v, err := verify.New(os.Getenv("STYTCH_PROJECT_ID"))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: newHandler(v), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
