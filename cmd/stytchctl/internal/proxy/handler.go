package proxy

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// handler forwards the requests of callers.
type handler struct {
	routes    []*route
	admission admission
	limit     int // of a body that is kept
	counts    *counts
	log       *slog.Logger
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{start: time.Now(), method: r.Method, trailer: r.Trailer}
	rw := newResponse(w, r, x)
	ctx := withExchange(r.Context(), x)
	h.counts.active.Inc()
	defer h.ended(ctx, x) // also if the response is aborted, which is a panic

	if p := h.admit(r, x); p != nil {
		x.fail(rw, p, nil)
		return
	}
	r = r.WithContext(ctx)
	if !isWebSocket(r.Header) { // any other protocol could carry requests past this proxy
		r.Header.Del("Upgrade")
	}
	if err := x.prepareBody(rw, r, h.limit); err != nil {
		x.fail(rw, problemOf(ctx, err), err)
		return
	}
	x.route.proxy.ServeHTTP(rw, r)
	x.finished = true
}

// admit finds the route of a request, or the problem with it.
func (h *handler) admit(r *http.Request, x *exchange) *problem {
	if p := h.admission.check(r); p != nil {
		return p
	}
	if !strings.HasPrefix(r.URL.Path, "/") || leavesRoute(r.URL) {
		return newProblem(http.StatusBadRequest, "path_refused", "The path must begin with a slash and have no segments . and .. : "+
			"send it resolved."+nothingForwarded)
	}
	if x.route = match(h.routes, r.URL.EscapedPath()); x.route == nil {
		return newProblem(http.StatusNotFound, "no_route", "No route of the proxy has this path: add a route or an upstream for all paths."+nothingForwarded)
	}
	return nil
}

func isWebSocket(h http.Header) bool { return strings.EqualFold(h.Get("Upgrade"), "websocket") }

// responded is called when a response has arrived and before it is forwarded.
func responded(resp *http.Response) error {
	x := exchangeOf(resp.Request.Context())
	x.status, x.upgraded = resp.StatusCode, resp.StatusCode == http.StatusSwitchingProtocols
	return nil
}

// failed is called when there is no response.
func failed(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r.Context())
	if x.upgraded { // to a protocol that was not asked for
		err = &upstreamError{cleaned(err, r)}
	}
	x.fail(w, problemOf(r.Context(), err), err)
}

// fail sends a problem. Without one, the caller has left: what it gets is the end of the
// connection.
func (x *exchange) fail(w http.ResponseWriter, p *problem, cause error) {
	x.cause, x.finished = cause, true
	if p == nil {
		x.status, x.class = statusCanceled, "canceled"
		panic(http.ErrAbortHandler)
	}
	x.status, x.class = p.Status, p.Class
	p.write(w)
}

// ended counts and logs an exchange.
func (h *handler) ended(ctx context.Context, x *exchange) {
	h.counts.active.Dec()
	counters := h.counts.none
	if x.route != nil {
		counters = x.route.counts
	}
	if !x.finished {
		x.class = "aborted"
	}
	counters.ended(x.codeClass())
	x.log(ctx, h.log)
}

// log writes the line of an exchange: no path, no query and no header.
func (x *exchange) log(ctx context.Context, log *slog.Logger) {
	level, explained := slog.LevelInfo, x.cause != nil && x.class != "canceled"
	if explained {
		level = slog.LevelWarn
	}
	if !log.Enabled(ctx, level) {
		return
	}
	now := time.Now()
	record := slog.NewRecord(now, level, "request", 0) // a Logger would look for its caller, which costs more than the rest
	record.AddAttrs(slog.String("method", x.method), slog.String("route", x.route.label()), slog.Int("status", x.status), microseconds(now.Sub(x.start)))
	if x.class != "" {
		record.AddAttrs(slog.String("class", x.class))
	}
	if explained {
		record.AddAttrs(slog.String("error", x.cause.Error()))
	}
	_ = log.Handler().Handle(ctx, record) // there is nowhere else to report that the log cannot be written
}

// codeClass is the label of an exchange.
func (x *exchange) codeClass() string {
	switch {
	case x.class == "canceled" || x.class == "aborted":
		return x.class
	case x.status < 100 || x.status > 599:
		return "aborted"
	}
	return string(rune('0'+x.status/100)) + "xx"
}
