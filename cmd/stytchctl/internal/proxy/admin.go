package proxy

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// readyWait is how long a probe waits for a token that was not asked for before.
const readyWait = 2 * time.Second

// admin serves what an orchestrator and a monitoring system ask for.
type admin struct {
	tokens   *tokens
	draining atomic.Bool
}

func (a *admin) handler(admission admission, c *counts) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", a.ready)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		c.write(w)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := admission.check(r); p != nil {
			p.write(w)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// ready is 200 if requests would be forwarded. While they would not, each probe asks for a token:
// without callers, which a proxy that is not ready does not get, nothing else would. The source
// limits how often that becomes a request.
func (a *admin) ready(w http.ResponseWriter, r *http.Request) {
	switch {
	case a.draining.Load():
		answer(w, http.StatusServiceUnavailable, "draining")
	case a.tokens.ready(time.Now()):
		answer(w, http.StatusOK, "ready")
	default:
		ctx, cancel := context.WithTimeout(r.Context(), readyWait)
		defer cancel()
		if _, err := a.tokens.Token(ctx); err != nil {
			answer(w, http.StatusServiceUnavailable, "no token")
			return
		}
		answer(w, http.StatusOK, "ready")
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}
