package emulator

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/project"
)

// WithHosts lets [Start] respond to further host names besides those of the loopback interface,
// such as the name of a container. Other names are refused with 421, so that a page in a browser
// cannot reach the emulator by a name of its own that resolves to this machine.
func WithHosts(names ...string) Option {
	return func(s *settings) error {
		for _, name := range names {
			if canonicalHost(name) == "" || strings.ContainsAny(name, "/: ") && net.ParseIP(name) == nil {
				return invalidArgument("WithHosts: %q must be a host name or an IP address, without a port", name)
			}
			s.hosts = append(s.hosts, canonicalHost(name))
		}
		return nil
	}
}

// allowedHost reports whether a Host header names this machine, or one of the names listed.
func allowedHost(header string, listed []string) bool {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = strings.Trim(header, "[]")
	}
	host = canonicalHost(host)
	return project.IsLoopback(host) || strings.HasSuffix(host, ".localhost") || slices.Contains(listed, host)
}

// canonicalHost is a host name or an IP address in its one spelling.
func canonicalHost(name string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if ip := net.ParseIP(name); ip != nil {
		return ip.String()
	}
	return name
}

// refuseHost responds to a request for a host that is not allowed.
func (e *Emulator) refuseHost(w http.ResponseWriter, r *http.Request) {
	x := e.service.exchange(w, r)
	x.send(x.failure(&failure{
		status: http.StatusMisdirectedRequest, kind: "bad_request",
		message: "The host is not one of this emulator: use a loopback name, or list it with emulator.WithHosts.",
	}))
}
