package server

import "time"

// SetTimeouts shortens the timeouts of a server that does not serve yet.
func (s *Server) SetTimeouts(write, drain time.Duration) {
	s.timeouts.write, s.timeouts.drain = write, drain
}
