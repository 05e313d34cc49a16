package admin

import (
	"net/http"
	"strconv"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/requestlog"
)

const defaultLimit = 100

// ListRequests serves GET /requests.
func (s *service) ListRequests(w http.ResponseWriter, _ *http.Request, params ListRequestsParams) {
	limit := params.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	if params.After < 0 || limit < 0 || limit > requestlog.Size {
		refuse(w, http.StatusBadRequest, "invalid_request",
			"after must not be negative, and limit must be 1 to "+strconv.Itoa(requestlog.Size)+". Nothing was changed.")
		return
	}
	page := s.instance.Requests().Select(requestlog.Filter{After: params.After, Operation: params.Operation, Status: params.Status}, limit)
	list := Requests{Requests: make([]LoggedRequest, len(page.Entries)), Last: page.Last, Discarded: page.Discarded}
	for i, e := range page.Entries {
		list.Requests[i] = logged(e)
	}
	respond(w, http.StatusOK, list)
}

// GetRequest serves GET /requests/{id}.
func (s *service) GetRequest(w http.ResponseWriter, _ *http.Request, id int64) {
	entry, ok := s.instance.Requests().Entry(id)
	if !ok {
		refuse(w, http.StatusNotFound, "not_found", "The log has no request with this id, or no longer has it.")
		return
	}
	respond(w, http.StatusOK, logged(entry))
}

// ClearRequests serves DELETE /requests.
func (s *service) ClearRequests(w http.ResponseWriter, _ *http.Request) {
	s.instance.Requests().Clear()
	w.WriteHeader(http.StatusNoContent)
}

// CountRequests serves POST /requests/count.
func (s *service) CountRequests(w http.ResponseWriter, r *http.Request) {
	filter, ok := decode[RequestFilter](w, r)
	if !ok {
		return
	}
	if filter.After < 0 {
		refuse(w, http.StatusBadRequest, "invalid_request", "after must not be negative. Nothing was counted.")
		return
	}
	n, complete := s.instance.Requests().Count(requestlog.Filter{
		After: filter.After, Operation: filter.Operation, Method: filter.Method, Status: filter.Status,
		ClientID: filter.ClientID, ErrorType: filter.ErrorType,
	})
	respond(w, http.StatusOK, Count{Count: n, Complete: complete})
}

func logged(e requestlog.Entry) LoggedRequest {
	return LoggedRequest{
		ID: e.ID, Time: e.Time.UTC(), Method: e.Method, Path: e.Path, Operation: e.Operation, Status: e.Status,
		ErrorType: e.ErrorType, Reason: e.Reason, ClientID: e.ClientID, RequestID: e.RequestID,
		DurationMs: float32(e.Duration) / float32(time.Millisecond),
	}
}
