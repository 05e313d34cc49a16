package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/stytch/secret"
)

// hosts are the names under which a server may be called. A page of an attacker can let a name of
// its own resolve to this machine (DNS rebinding), so any other name is refused.
type hosts struct {
	listed []string
	open   bool // not only reached from this machine
}

func newHosts(open bool, listed []string) hosts {
	h := hosts{open: open}
	if name, err := os.Hostname(); err == nil && open {
		listed = append(slices.Clone(listed), name)
	}
	for _, name := range listed {
		h.listed = append(h.listed, canonicalHost(name))
	}
	return h
}

// allow reports whether a Host header names this server. An address cannot be rebound, and a name
// without a dot is one of a local network, such as that of a container.
func (h hosts) allow(header string) bool {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = strings.Trim(header, "[]")
	}
	host = canonicalHost(host)
	if project.IsLoopback(host) || strings.HasSuffix(host, ".localhost") || slices.Contains(h.listed, host) {
		return true
	}
	return h.open && host != "" && (net.ParseIP(host) != nil || !strings.Contains(host, "."))
}

// canonicalHost is a host name or an IP address in its one spelling.
func canonicalHost(name string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if ip := net.ParseIP(name); ip != nil {
		return ip.String()
	}
	return name
}

// A token guards the admin API. The zero value lets everyone pass.
type token struct {
	required bool
	hash     [sha256.Size]byte
}

func newToken(text secret.String) token {
	if text.IsZero() {
		return token{}
	}
	return token{true, sha256.Sum256([]byte(text.Reveal()))}
}

// allows reports whether a request has the token as a bearer token.
func (t token) allows(r *http.Request) bool {
	if !t.required {
		return true
	}
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && t.matches(text)
}

func (t token) matches(text string) bool {
	hash := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(hash[:], t.hash[:]) == 1
}
