package emulator

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// WithHosts lets [Start] respond to further host names besides those of the loopback interface,
// such as the name of a container. Other names are refused with 421, so that a page in a browser
// cannot reach the emulator by a name of its own that resolves to this machine.
func WithHosts(names ...string) Option {
	return func(s *settings) error {
		for _, name := range names {
			if name == "" || strings.ContainsAny(name, "/: ") && net.ParseIP(name) == nil {
				return invalidArgument("WithHosts: %q must be a host name or an IP address, without a port", name)
			}
		}
		s.hosts = append(s.hosts, names...)
		return nil
	}
}

// allowedHost reports whether a Host header names this machine, or one of the names listed.
func allowedHost(header string, listed []string) bool {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = strings.Trim(header, "[]")
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		slices.ContainsFunc(listed, func(name string) bool { return strings.EqualFold(name, host) })
}

// refuseHost responds to a request for a host that is not allowed.
func (e *Emulator) refuseHost(w http.ResponseWriter, r *http.Request) {
	x := e.exchange(w, r)
	x.send(x.failure(&failure{
		status: http.StatusMisdirectedRequest, kind: "bad_request",
		message: "The host is not one of this emulator: use a loopback name, or list it with emulator.WithHosts.",
	}))
}
