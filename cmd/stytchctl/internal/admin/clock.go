package admin

import (
	"net/http"
	"time"
)

// GetClock serves GET /clock.
func (s *service) GetClock(w http.ResponseWriter, _ *http.Request) {
	c := s.instance.Clock()
	respond(w, http.StatusOK, Clock{Now: c.Now, Offset: c.Offset.String(), Real: c.Offset == 0})
}

// SetClock serves PUT /clock.
func (s *service) SetClock(w http.ResponseWriter, r *http.Request) {
	request, ok := decode[SetClockRequest](w, r)
	if !ok {
		return
	}
	given := 0
	for _, is := range []bool{request.Now != nil, request.Advance != "", request.Real} {
		if is {
			given++
		}
	}
	if given != 1 {
		refuse(w, http.StatusBadRequest, "invalid_request", "Give one of now, advance and real. Nothing was changed.")
		return
	}
	var err error
	switch {
	case request.Now != nil:
		err = s.instance.SetTime(*request.Now)
	case request.Real:
		err = s.instance.RealTime()
	default:
		by, parseErr := time.ParseDuration(request.Advance)
		if parseErr != nil {
			refuse(w, http.StatusBadRequest, "invalid_request", "advance must be a duration such as 90s, 15m or -1h30m. Nothing was changed.")
			return
		}
		err = s.instance.Advance(by)
	}
	if err != nil {
		refuseError(w, err)
		return
	}
	s.GetClock(w, r)
}
