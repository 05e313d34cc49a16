package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

// The defaults of a [Config].
const (
	DefaultBodyReplay      = 64 << 10
	DefaultUpstreamTimeout = time.Minute
	DefaultDrainTimeout    = 10 * time.Second
)

const (
	maxBodyReplay = 16 << 20
	maxDuration   = 24 * time.Hour
)

// A Config describes a proxy. Listen, Routes, ProjectID and Credentials are required.
type Config struct {
	Listen      string           // host:port that callers use; port 0 takes a free one
	Admin       string           // host:port of /healthz, /readyz and /metrics; "" for none
	TokenSocket string           // path of the Unix socket that hands out tokens; "" for none
	AllowRemote bool             // addresses other than loopback; requires Certificate and ClientCAs
	Certificate *tls.Certificate // of Listen and Admin; nil for plain HTTP
	ClientCAs   *x509.CertPool   // that issue the certificates of callers; nil asks for none
	Hosts       []string         // further names under which callers know this proxy

	Routes  []Route
	RootCAs *x509.CertPool // that issue the certificates of upstreams; nil for those of the system

	MaxBodyReplay   int           // bytes of a body to keep for a repetition; 0 for the default, -1 for none
	UpstreamTimeout time.Duration // from the last byte of a request to the header of its response; 0 for the default
	DrainTimeout    time.Duration // for requests in progress when Serve ends; 0 for the default

	ProjectID   string
	Credentials token.Credentials
	Scopes      []string // of the tokens; none means all scopes of the client
	BaseURL     string   // "" for Stytch itself
	Store       token.Store
	StoreKeys   []secret.String
	Budget      int // tokens per hour; 0 for no limit

	Log *slog.Logger // nil for none

	tokenOptions []token.Option // of tests
}

// A Route sends the requests whose path begins with Prefix, at the end of a segment, to Upstream.
// The longest prefix counts. It is replaced by the path of Upstream: with the prefix /a and the
// upstream https://api.internal/v1, a request for /a/users is sent to
// https://api.internal/v1/users.
type Route struct {
	Prefix   string // "/" for all that no other route takes
	Upstream string // https, or http to this machine
}

// A ConfigError is a setting that cannot be used. Nothing was opened and nothing was sent.
type ConfigError struct {
	Field string // of Config
	Rule  string // that it breaks, and what to do
}

// Error names the field and the rule.
func (e *ConfigError) Error() string {
	return "proxy: New: " + e.Field + ": " + e.Rule + ". Nothing was opened."
}

func refuse(field, format string, args ...any) error {
	return &ConfigError{field, fmt.Sprintf(format, args...)}
}

// check returns the config with its defaults filled in.
func (c Config) check() (Config, error) {
	if c.AllowRemote && (c.Certificate == nil || c.ClientCAs == nil) {
		return c, refuse("AllowRemote", "remote callers must be known: give a certificate and the CAs of client certificates")
	}
	if c.ClientCAs != nil && c.Certificate == nil {
		return c, refuse("ClientCAs", "client certificates need TLS: give a certificate")
	}
	if err := c.checkAddress("Listen", c.Listen); err != nil {
		return c, err
	}
	if c.Admin != "" {
		if err := c.checkAddress("Admin", c.Admin); err != nil {
			return c, err
		}
	}
	for _, host := range c.Hosts {
		if host == "" || strings.ContainsAny(host, ":/*[] ") {
			return c, refuse("Hosts", "each must be a name without a port")
		}
	}
	if c.MaxBodyReplay == 0 {
		c.MaxBodyReplay = DefaultBodyReplay
	}
	if c.MaxBodyReplay < -1 || c.MaxBodyReplay > maxBodyReplay {
		return c, refuse("MaxBodyReplay", "it must be between 0 and 16 MiB")
	}
	for _, d := range []struct {
		field    string
		value    *time.Duration
		standard time.Duration
	}{
		{"UpstreamTimeout", &c.UpstreamTimeout, DefaultUpstreamTimeout},
		{"DrainTimeout", &c.DrainTimeout, DefaultDrainTimeout},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
		if *d.value < 0 || *d.value > maxDuration {
			return c, refuse(d.field, "it must be positive and at most 24 hours")
		}
	}
	if c.Budget < 0 {
		return c, refuse("Budget", "it must not be negative")
	}
	if c.Store == nil && len(c.StoreKeys) > 0 {
		return c, refuse("StoreKeys", "there is no store to use them for: give a store")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// checkAddress holds the address of a listener to the loopback interface, unless remote callers are
// allowed. An address without a host would be every interface.
func (c Config) checkAddress(field, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return refuse(field, "it must be host:port, such as 127.0.0.1:9400")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return refuse(field, "the port must be a number from 0 to 65535")
	}
	if !c.AllowRemote && !project.IsLoopback(host) {
		return refuse(field, "anyone who reaches it can use the token: listen on 127.0.0.1 or [::1], "+
			"or allow remote callers with a certificate and the CAs of client certificates")
	}
	return nil
}
