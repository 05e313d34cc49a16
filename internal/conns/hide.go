package conns

import "net/http"

// Hide returns a RoundTripper that sends requests through rt, or [http.DefaultTransport] if that is
// nil. The buffers of a transport hold the secrets and tokens that went over its connections last;
// reflection, and so anything that prints a struct, does not look behind the func.
func Hide(rt http.RoundTripper) http.RoundTripper {
	return hidden(func() http.RoundTripper {
		if rt == nil {
			return http.DefaultTransport
		}
		return rt
	})
}

type hidden func() http.RoundTripper

func (h hidden) RoundTrip(req *http.Request) (*http.Response, error) { return h().RoundTrip(req) }

// CloseIdleConnections closes the idle connections of a transport that can do so.
func (h hidden) CloseIdleConnections() {
	if t, ok := h().(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}
