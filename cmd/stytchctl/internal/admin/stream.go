package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/requestlog"
)

const (
	maxStreams = 16
	heartbeat  = 15 * time.Second
	burst      = 500 // entries that are written before the connection is flushed
)

// StreamRequests serves GET /requests/stream. Each round reads from the log what is new, so a slow
// reader holds nothing but its place.
func (s *service) StreamRequests(w http.ResponseWriter, r *http.Request, params StreamRequestsParams) {
	if fromOtherPage(r) {
		refuse(w, http.StatusForbidden, "forbidden", "A page of another origin opened the stream: call the API from a program.")
		return
	}
	if s.streams.Add(1) > maxStreams {
		s.streams.Add(-1)
		refuse(w, http.StatusTooManyRequests, "too_many_streams", fmt.Sprintf("%d streams are open already: close one.", maxStreams))
		return
	}
	defer s.streams.Add(-1)
	log := s.instance.Requests()
	last, _ := log.Changed()
	if params.LastEventID != "" {
		id, err := strconv.ParseInt(params.LastEventID, 10, 64)
		if err != nil || id < 0 {
			refuse(w, http.StatusBadRequest, "invalid_request", "Last-Event-ID must be the id of a request.")
			return
		}
		last = min(id, last)
	}
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	alive := time.NewTicker(heartbeat)
	defer alive.Stop()
	_, err := io.WriteString(w, ": the requests of the emulator\n\n")
	for err == nil {
		_, changed := log.Changed()
		var more bool
		if last, more, err = writeEvents(w, log, last); err == nil {
			err = control.Flush()
		}
		if err != nil || more {
			continue
		}
		select {
		case <-changed:
		case <-alive.C:
			_, err = io.WriteString(w, ": alive\n\n")
		case <-r.Context().Done():
			return
		case <-s.ending:
			return
		}
	}
}

// fromOtherPage reports whether a browser sent the request for the page of another origin. It could
// not read a stream, but a few of its tabs would hold all streams that there are.
func fromOtherPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
	default:
		return true
	}
	text := r.Header.Get("Origin")
	if text == "" {
		return false
	}
	origin, err := url.Parse(text)
	return err != nil || origin.Host != r.Host
}

// writeEvents writes the entries after an id. More reports whether there may be others already.
func writeEvents(w io.Writer, log *requestlog.Log, after int64) (last int64, more bool, err error) {
	page := log.Since(after, burst)
	if page.Discarded > 0 {
		if _, err := fmt.Fprintf(w, "event: gap\ndata: {\"discarded\":%d}\n\n", page.Discarded); err != nil {
			return after, false, err
		}
	}
	for _, e := range page.Entries {
		data, err := json.Marshal(logged(e))
		if err != nil {
			return after, false, err
		}
		if _, err := fmt.Fprintf(w, "id: %d\nevent: request\ndata: %s\n\n", e.ID, data); err != nil {
			return after, false, err
		}
		after = e.ID
	}
	return after, len(page.Entries) == burst, nil
}
