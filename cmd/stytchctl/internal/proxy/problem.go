package proxy

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"
)

// problem is a problem document (RFC 9457): the response to a request that was not forwarded, or
// got no response. Its class is for programs. It names no address, id, token or path.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Class  string `json:"class"`
	Detail string `json:"detail"`

	retryAfter time.Duration
	allow      string
}

func newProblem(status int, class, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Class: class, Detail: detail}
}

// write sends the document. A caller that has left does not read it.
func (p *problem) write(w http.ResponseWriter) {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and a number: it cannot fail
	}
	h := w.Header()
	clear(h)
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(text, '\n'))
}
