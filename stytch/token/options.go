package token

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/baseurl"
	"github.com/stytchkit/m2m/internal/retry"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Option changes a setting of [New]. An option that is given a bad value makes New fail.
type Option func(*settings) error

type settings struct {
	request   request
	asked     Request
	base      *url.URL
	http      *http.Client
	userAgent string
	refreshAt float64
	minLife   time.Duration
	perHour   int
	alarm     func(used, perHour int)
	hook      func(Event)
	store     Store
	storeKeys []secret.String
	attempt   time.Duration
	call      time.Duration
}

const version = "0.1.0" // of the SDK

// ownUserAgent is built like the management client's.
var ownUserAgent = "stytch-m2m-go/" + version + " (" + runtime.Version() + "; " + runtime.GOOS + ")"

// backoff bounds the time between requests after a failure.
var backoff = retry.Policy{BaseDelay: time.Second, MaxDelay: 30 * time.Second, MaxRetryAfter: maxRetryAfter}

func defaults() settings {
	return settings{
		userAgent: ownUserAgent, refreshAt: 0.8, minLife: time.Minute,
		attempt: 10 * time.Second, call: 30 * time.Second,
	}
}

// check is for rules over several options.
func (s *settings) check() (err error) {
	s.request, err = s.asked.normal()
	return err
}

// WithScopes asks for these scopes instead of all that the client has.
func WithScopes(scopes ...string) Option {
	return func(s *settings) error { s.asked.Scopes = scopes; return nil }
}

// WithParameters sends further parameters with each token request, for the token template of the project; see [Request].
func WithParameters(parameters map[string]string) Option {
	return func(s *settings) error { s.asked.Parameters = parameters; return nil }
}

// WithBaseURL sends token requests to another address: a custom domain, a proxy, a local Stytch. It must be https, or http to
// a loopback address, without user info, query or fragment. It may have a path; a trailing slash changes nothing.
func WithBaseURL(address string) Option {
	return func(s *settings) error {
		base, err := baseurl.Parse(address)
		if err != nil {
			return invalid("WithBaseURL", "%v", err)
		}
		s.base = base
		return nil
	}
}

// WithHTTPClient sends token requests through the Transport of another http.Client, for a proxy, a client certificate or
// instrumentation. The http.Client is never changed. Its Timeout bounds each attempt; its Jar and CheckRedirect have no part,
// because neither cookies nor redirects are used: a redirect would carry the client's secret to wherever the answer points.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return invalid("WithHTTPClient", "http.Client must not be nil")
		}
		s.http = client
		return nil
	}
}

// WithUserAgent puts a product such as "billing/1.4" before the SDK's own in the User-Agent header.
func WithUserAgent(product string) Option {
	return func(s *settings) error {
		if product == "" || strings.ContainsFunc(product, func(r rune) bool { return r < ' ' || r > '~' }) {
			return invalid("WithUserAgent", "product must be printable ASCII and not empty")
		}
		s.userAgent = product + " " + ownUserAgent
		return nil
	}
}

// WithRefreshAt sets after what part of its life a token is refreshed in the background, 0.8 by default. The moment is up to a
// tenth earlier, at random, so that a fleet does not refresh at once.
func WithRefreshAt(fraction float64) Option {
	return func(s *settings) error {
		if !(fraction > 0 && fraction <= 1) { // and no NaN
			return invalid("WithRefreshAt", "fraction must be over 0 and at most 1")
		}
		s.refreshAt = fraction
		return nil
	}
}

// WithMinLife sets how much life a token must have left to be handed out, 1 min by default: enough for the call it is for. A
// token that has less from the start is handed out to the calls that waited for it, and not kept.
func WithMinLife(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 || d > maxLife {
			return invalid("WithMinLife", "minimum life must be from 0 to %v", maxLife)
		}
		s.minLife = d
		return nil
	}
}

// WithBudget limits how many tokens the source has issued in any hour. Beyond it, requests fail with [ErrBudget] without
// being sent; a token in memory is handed out all the same. A request whose answer was lost counts, because it may have been
// billed. alarm, if it is not nil, is called once when four fifths are used and once when the first request is refused, and
// again only after use fell below that. It must be quick.
func WithBudget(perHour int, alarm func(used, perHour int)) Option {
	return func(s *settings) error {
		if perHour < 1 || perHour > maxBudget {
			return invalid("WithBudget", "budget must be from 1 to %d tokens per hour", maxBudget)
		}
		s.perHour, s.alarm = perHour, alarm
		return nil
	}
}

// WithObserver calls f after every refresh, whether it succeeded or failed, and when the shared store fails, from the goroutine
// where that happens. f must be quick, safe for concurrent use, and must not call Close.
func WithObserver(f func(Event)) Option {
	return func(s *settings) error {
		if f == nil {
			return invalid("WithObserver", "hook must not be nil")
		}
		s.hook = f
		return nil
	}
}

// WithStore shares tokens with other processes through store. They are encrypted with keys: the first is written with, all are
// read with, so that a key can be replaced. Without keys, they follow from the client's secrets.
func WithStore(store Store, keys ...secret.String) Option {
	return func(s *settings) error {
		if store == nil {
			return invalid("WithStore", "store must not be nil")
		}
		s.store, s.storeKeys = store, keys
		return nil
	}
}

// WithTimeouts bounds one request, from sending it to the last byte of its answer (10 s by default), and all that one refresh
// sends when a secret is refused (30 s by default), reading the credentials included.
func WithTimeouts(attempt, call time.Duration) Option {
	return func(s *settings) error {
		if attempt <= 0 || call <= 0 {
			return invalid("WithTimeouts", "both timeouts must be positive")
		}
		s.attempt, s.call = attempt, call
		return nil
	}
}

// transport is what requests go through. It is used directly, and so follows no redirect.
func (s *settings) transport() http.RoundTripper {
	if s.http != nil {
		if s.http.Timeout > 0 {
			s.attempt = min(s.attempt, s.http.Timeout)
		}
		if s.http.Transport != nil {
			return s.http.Transport
		}
		return http.DefaultTransport
	}
	const connect = 5 * time.Second
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    connect,
		IdleConnTimeout:        30 * time.Second, // the next token is far away
		MaxResponseHeaderBytes: 64 << 10,
	}
}
