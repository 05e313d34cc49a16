package proxy_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

func TestConfig(t *testing.T) {
	f := prepare(t, nil)
	remote := func(address string) func(*proxy.Config) {
		return func(c *proxy.Config) {
			c.Listen, c.AllowRemote, c.Certificate, c.ClientCAs = address, true, &tls.Certificate{}, x509.NewCertPool()
		}
	}
	routes := func(routes ...proxy.Route) func(*proxy.Config) { return func(c *proxy.Config) { c.Routes = routes } }
	const api = "https://api.internal"
	for _, test := range []struct {
		name   string
		change func(*proxy.Config)
		field  string // "" if it is good
		text   string
	}{
		{"as it is", nil, "", ""},
		{"IPv6", func(c *proxy.Config) { c.Listen = "[::1]:0" }, "", ""},
		{"a name", func(c *proxy.Config) { c.Listen = "localhost:9400" }, "", ""},
		{"remote callers", remote("0.0.0.0:9400"), "", ""},
		{"all interfaces", func(c *proxy.Config) { c.Listen = ":9400" }, "Listen", "listen on 127.0.0.1"},
		{"another interface", func(c *proxy.Config) { c.Listen = "10.0.0.1:9400" }, "Listen", "listen on 127.0.0.1"},
		{"admin of all interfaces", func(c *proxy.Config) { c.Admin = "0.0.0.0:9401" }, "Admin", "listen on 127.0.0.1"},
		{"no address", func(c *proxy.Config) { c.Listen = "" }, "Listen", "host:port"},
		{"no port", func(c *proxy.Config) { c.Listen = "127.0.0.1" }, "Listen", "host:port"},
		{"a port by name", func(c *proxy.Config) { c.Listen = "127.0.0.1:http" }, "Listen", "port must be a number"},
		{"a large port", func(c *proxy.Config) { c.Listen = "127.0.0.1:65536" }, "Listen", "port must be a number"},
		{"remote without certificates", func(c *proxy.Config) { c.AllowRemote = true }, "AllowRemote", "give a certificate"},
		{"remote without client CAs", func(c *proxy.Config) { c.AllowRemote, c.Certificate = true, &tls.Certificate{} }, "AllowRemote", "CAs of client"},
		{"client CAs without TLS", func(c *proxy.Config) { c.ClientCAs = x509.NewCertPool() }, "ClientCAs", "give a certificate"},
		{"a host with a port", func(c *proxy.Config) { c.Hosts = []string{"proxy:80"} }, "Hosts", "without a port"},
		{"a host pattern", func(c *proxy.Config) { c.Hosts = []string{"*"} }, "Hosts", "without a port"},
		{"no routes", routes(), "Routes", "at least one"},
		{"several routes", routes(proxy.Route{Prefix: "/", Upstream: api}, proxy.Route{Prefix: "/a.b/c-d_e~f/", Upstream: api}), "", ""},
		{"a prefix twice", routes(proxy.Route{Prefix: "/a", Upstream: api}, proxy.Route{Prefix: "/a/", Upstream: api}), "Routes", `"/a/" is there twice`},
		{"no slash", routes(proxy.Route{Prefix: "a", Upstream: api}), "Routes", "begin with a slash"},
		{"no prefix", routes(proxy.Route{Upstream: api}), "Routes", "begin with a slash"},
		{"an empty segment", routes(proxy.Route{Prefix: "/a//b", Upstream: api}), "Routes", "empty segments"},
		{"empty segments at the end", routes(proxy.Route{Prefix: "/a//", Upstream: api}), "Routes", "empty segments"},
		{"slashes alone", routes(proxy.Route{Prefix: "//", Upstream: api}), "Routes", "empty segments"},
		{"dots", routes(proxy.Route{Prefix: "/a/..", Upstream: api}), "Routes", "empty segments"},
		{"an escape", routes(proxy.Route{Prefix: "/a%2Fb", Upstream: api}), "Routes", "letters, digits"},
		{"a query", routes(proxy.Route{Prefix: "/a?b", Upstream: api}), "Routes", "letters, digits"},
		{"plain HTTP", routes(proxy.Route{Prefix: "/", Upstream: "http://api.internal"}), "Routes", "https"},
		{"an upstream with credentials", routes(proxy.Route{Prefix: "/", Upstream: "https://u:p@api.internal"}), "Routes", `the upstream of "/"`},
		{"no upstream", routes(proxy.Route{Prefix: "/"}), "Routes", `the upstream of "/"`},
		{"a large body", func(c *proxy.Config) { c.MaxBodyReplay = 17 << 20 }, "MaxBodyReplay", "16 MiB"},
		{"a negative body", func(c *proxy.Config) { c.MaxBodyReplay = -2 }, "MaxBodyReplay", "16 MiB"},
		{"a negative timeout", func(c *proxy.Config) { c.UpstreamTimeout = -1 }, "UpstreamTimeout", "positive"},
		{"a negative drain", func(c *proxy.Config) { c.DrainTimeout = -1 }, "DrainTimeout", "positive"},
		{"a negative budget", func(c *proxy.Config) { c.Budget = -1 }, "Budget", "negative"},
		{"keys without a store", func(c *proxy.Config) { c.StoreKeys = []secret.String{secret.Generate()} }, "StoreKeys", "give a store"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := proxy.New(f.config(test.change))
			if test.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantConfigError(t, err, test.field, test.text)
		})
	}
	for name, change := range map[string]func(*proxy.Config){
		"project":     func(c *proxy.Config) { c.ProjectID = "p" },
		"base URL":    func(c *proxy.Config) { c.BaseURL = "http://stytch.internal" },
		"scopes":      func(c *proxy.Config) { c.Scopes = []string{"a b"} },
		"credentials": func(c *proxy.Config) { c.Credentials = nil },
		"budget":      func(c *proxy.Config) { c.Budget = 10_000_000 },
	} {
		_, err := proxy.New(f.config(change))
		if !errors.Is(err, token.ErrInvalidArgument) || !strings.HasPrefix(err.Error(), "proxy: New: ") || !strings.HasSuffix(err.Error(), "Nothing was opened") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
