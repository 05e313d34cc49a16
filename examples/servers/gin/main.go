// Command gin protects an API built with gin-gonic/gin, which has its own kind of middleware: see
// protect.
//
// It needs STYTCH_PROJECT_ID and listens on 127.0.0.1:8080.
package main

import (
	"log"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/stytchkit/m2m/stytch/verify"
)

// protect makes gin middleware of middleware for net/http. It aborts refused requests, because gin
// would otherwise call the next handler.
func protect(middleware func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		allowed := false
		middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			allowed = true
			c.Request = r // its context has the claims
		})).ServeHTTP(c.Writer, c.Request)
		if !allowed {
			c.Abort()
		}
	}
}

func newHandler(v *verify.Verifier) http.Handler {
	r := gin.New()
	r.Use(gin.Recovery())
	r.GET("/health", func(c *gin.Context) { c.String(http.StatusOK, "ok\n") })
	users := r.Group("/users", protect(v.Require("read:users")))
	users.GET("", hello)
	users.POST("", protect(v.Require("write:users")), hello)
	return r
}

func hello(c *gin.Context) {
	claims, _ := verify.ClaimsFromContext(c.Request.Context()) // protect has put them there
	c.String(http.StatusOK, "hello %s\n", claims.ClientID)
}

func main() {
	v, err := verify.New(os.Getenv("STYTCH_PROJECT_ID"))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: newHandler(v), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
