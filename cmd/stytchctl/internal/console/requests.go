package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
)

const (
	shownRequests = 200
	moreRequests  = 1000
	wholeLog      = 10_000
)

type requestsPage struct {
	Filter     requestFilter
	Operations []admin.Operation
	Requests   []admin.LoggedRequest // newest first
	Last       int64
	Hidden     int    // older ones that match and are not shown
	More       string // address that shows more of them
	Curl       string // for the empty state
}

// A requestFilter is which requests are shown.
type requestFilter struct{ Operation, Outcome, Client string }

// Outcomes a filter knows.
const (
	outcomeGood    = "good"
	outcomeRefused = "refused"
	outcomeDropped = "dropped"
)

// Active reports whether anything is filtered.
func (f requestFilter) Active() bool { return f != requestFilter{} }

func (f requestFilter) matches(r admin.LoggedRequest) bool {
	if f.Operation != "" && f.Operation != r.Operation || f.Client != "" && f.Client != r.ClientID {
		return false
	}
	return f.Outcome == "" || f.Outcome == outcomeOf(r)
}

func outcomeOf(r admin.LoggedRequest) string {
	switch {
	case r.Status == 0:
		return outcomeDropped
	case r.Status >= http.StatusBadRequest:
		return outcomeRefused
	}
	return outcomeGood
}

func (c *Console) requests(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p := requestsPage{Filter: requestFilter{q.Get("operation"), q.Get("outcome"), strings.TrimSpace(q.Get("client"))}}
	shown := shownRequests
	if q.Get("more") != "" {
		shown = moreRequests
	}
	known, err := get[admin.Operations](r.Context(), c.admin, "/operations")
	if err != nil {
		c.failed(w, r, "", err)
		return
	}
	p.Operations = known.Operations
	limit := shown + 1
	if p.Filter.Active() {
		limit = wholeLog
	}
	log, err := get[admin.Requests](r.Context(), c.admin, "/requests?limit="+strconv.Itoa(limit))
	if err != nil {
		c.failed(w, r, "", err)
		return
	}
	p.Last = log.Last
	for _, one := range slices.Backward(log.Requests) {
		if !p.Filter.matches(one) {
			continue
		}
		if len(p.Requests) == shown {
			p.Hidden++
			continue
		}
		p.Requests = append(p.Requests, one)
	}
	if p.Hidden > 0 && shown < moreRequests {
		q.Set("more", "1")
		p.More = Root + "requests?" + q.Encode()
	}
	p.Curl = "curl -u \"$STYTCH_PROJECT_ID:$STYTCH_PROJECT_SECRET\" \\\n  -H 'Content-Type: application/json' -d '{}' \\\n  \"" + c.config.Address + "/v1/m2m/clients/search\""
	c.render(w, r, http.StatusOK, "requests", page{Title: "Requests", Section: "requests", Data: p})
}

func (c *Console) clearRequests(w http.ResponseWriter, r *http.Request) {
	if err := c.admin.do(r.Context(), http.MethodDelete, "/requests", nil, nil); err != nil {
		c.failed(w, r, "requests", err)
		return
	}
	c.done(w, r, Root+"requests", notice{Text: "The request log is empty."})
}

// streamRequests is the stream of the admin API, for the browser's session.
func (c *Console) streamRequests(w http.ResponseWriter, r *http.Request) {
	stream := r.Clone(r.Context())
	stream.URL = &url.URL{Path: Root + "v1/requests/stream"}
	stream.RequestURI = stream.URL.Path
	stream.Header.Del("Cookie")
	if after := r.URL.Query().Get("after"); after != "" && stream.Header.Get("Last-Event-ID") == "" {
		stream.Header.Set("Last-Event-ID", after)
	}
	c.config.Admin.ServeHTTP(w, stream)
}

type requestPage struct {
	Request  admin.LoggedRequest
	Safety   string
	Timeline []step
	Curl     string
	Client   string // the page of the client
	Next     int64
}

// A step is one thing that happened to a request.
type step struct{ What, Detail, State string }

func (c *Console) request(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	var one admin.LoggedRequest
	if err == nil {
		one, err = get[admin.LoggedRequest](r.Context(), c.admin, "/requests/"+strconv.FormatInt(id, 10))
	}
	if err != nil {
		c.render(w, r, http.StatusNotFound, "problem", page{Title: "Not found", Section: "requests", Data: problem{
			Title: "The log has no such request", Text: "It was cleared, or so many requests came after it that the log no longer has it.", Link: Root + "requests", LinkText: "Show the requests",
		}})
		return
	}
	known, err := get[admin.Operations](r.Context(), c.admin, "/operations")
	if err != nil {
		c.failed(w, r, "requests", err)
		return
	}
	p := requestPage{Request: one}
	at := slices.IndexFunc(known.Operations, func(o admin.Operation) bool { return o.ID == one.Operation })
	if at >= 0 {
		p.Safety = known.Operations[at].Safety
	}
	p.Timeline = timeline(one)
	p.Curl = curl(c.config.Address, c.config.ProjectID, one)
	if one.ClientID != "" {
		p.Client = m2mClients.Link(one.ClientID)
		if strings.Contains(one.Operation, "ConnectedApp") {
			p.Client = connectedApps.Link(one.ClientID)
		}
	}
	c.render(w, r, http.StatusOK, "request", page{Title: "Request " + strconv.FormatInt(id, 10), Section: "requests", Data: p})
}
