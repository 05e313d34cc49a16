package stytch

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/conns"
	"github.com/stytchkit/m2m/internal/project"
	"github.com/stytchkit/m2m/internal/retry"
)

// Version is the version of this SDK, as sent in the User-Agent header.
const Version = project.Version

// Option changes a setting of [New] and [NewOAuth], which fail if an option is nil or invalid.
type Option func(*settings) error

type settings struct {
	base           *url.URL // nil: the project id decides
	domain         *url.URL // of the project; nil: not known
	client         *http.Client
	transport      http.RoundTripper
	conns          *conns.Transport // the same transport, or nil if it is the caller's
	userAgent      []string         // one header value
	policy         retry.Policy
	attemptTimeout time.Duration
	callTimeout    time.Duration
	maxResponse    int64
	observe        func(context.Context, Attempt)
}

func newSettings(options []Option) (settings, error) {
	s := settings{
		userAgent:      []string{project.UserAgent},
		policy:         retry.Policy{MaxAttempts: 3, BaseDelay: 100 * time.Millisecond, MaxDelay: 20 * time.Second, MaxRetryAfter: time.Minute},
		attemptTimeout: 10 * time.Second,
		callTimeout:    30 * time.Second,
		maxResponse:    4 << 20,
	}
	for i, option := range options {
		if option == nil {
			return s, invalid("", "option %d is nil", i)
		}
		if err := option(&s); err != nil {
			return s, err
		}
	}
	s.useTransport()
	return s, nil
}

// useTransport takes what applies here from the caller's http.Client. Requests go to its
// RoundTripper directly, which never follows a redirect: that would send the secrets of a body to
// wherever the response points. The API has no cookies.
func (s *settings) useTransport() {
	if s.client == nil {
		s.conns = conns.New()
		s.transport = s.conns
		return
	}
	s.transport = conns.Hide(s.client.Transport)
	if s.client.Timeout > 0 {
		s.attemptTimeout = min(s.attemptTimeout, s.client.Timeout)
	}
	s.client = nil
}

// WithBaseURL sends all requests to another address: a custom domain, a proxy, a local Stytch. It
// must be https, or http to a loopback address, without user info, query or fragment. It may have a
// path, with or without a trailing slash; the path of each request is appended to it. An empty
// address changes nothing. See [FromEnv] for STYTCH_BASE_URL.
func WithBaseURL(address string) Option {
	return baseURL("WithBaseURL", address, project.ParseBaseURL)
}

// WithInsecureBaseURL is [WithBaseURL], but takes plain http to any host, such as a local Stytch in
// another container: http://stytch:4000. Anyone who can see the network between the two reads every
// secret and token, and can change every response.
func WithInsecureBaseURL(address string) Option {
	return baseURL("WithInsecureBaseURL", address, project.ParseInsecureBaseURL)
}

func baseURL(option, address string, parse func(string) (*url.URL, error)) Option {
	return func(s *settings) error {
		if address == "" {
			return nil
		}
		base, err := parse(address)
		if err != nil {
			return invalid(option, "%v", err)
		}
		s.base = base
		return nil
	}
}

// WithProjectDomain names the domain of the project, such as example.customers.stytch.com or a
// custom domain. Client.OAuth sends its requests there; the management API stays where it is. An
// empty domain changes nothing.
func WithProjectDomain(domain string) Option {
	return func(s *settings) error {
		if domain == "" {
			return nil
		}
		base, err := project.ParseDomain(domain)
		if err != nil {
			return invalid("WithProjectDomain", "%v", err)
		}
		s.domain = base
		return nil
	}
}

// WithHTTPClient sends requests through the Transport of another http.Client, for a proxy, a client
// certificate or instrumentation. The http.Client is not changed. Its Timeout bounds each attempt;
// its Jar and CheckRedirect are not used, because there are no cookies and redirects are not
// followed. Without this option the client requires TLS 1.2, uses the proxy of the environment,
// keeps an idle connection for every concurrent caller, and pings HTTP/2 connections. With it, set
// HTTP2.SendPingTimeout of an http.Transport, or one dead connection fails every call for minutes.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return invalid("WithHTTPClient", "http.Client must not be nil")
		}
		s.client = client
		return nil
	}
}

// WithUserAgent puts a product such as "billing/1.4" in front of the SDK's own in the User-Agent
// header.
func WithUserAgent(product string) Option {
	return func(s *settings) error {
		if product == "" || strings.ContainsFunc(product, func(r rune) bool { return r < ' ' || r > '~' }) {
			return invalid("WithUserAgent", "product must be printable ASCII and not empty")
		}
		s.userAgent = []string{product + " " + project.UserAgent}
		return nil
	}
}

// Retry bounds how a call is retried. A zero field keeps the default.
type Retry struct {
	MaxAttempts   int           // most requests of a call, the first included; 3 by default, 1 means no retries
	BaseDelay     time.Duration // upper bound of the first random wait, doubled for each further one; 100 ms by default
	MaxDelay      time.Duration // longest wait that the client chooses; 20 s by default
	MaxRetryAfter time.Duration // a longer Retry-After ends the call, and the error has it; 1 min by default

	// RateLimitMayProcess says that a request may have taken effect although its response was 429.
	// By default a 429 counts as proof of no effect, so that even operations that must not be
	// repeated are sent again. Stytch documents neither.
	RateLimitMayProcess bool
}

// WithRetry changes how calls are retried. Which failures are retried depends on the operation: see
// the package documentation.
func WithRetry(r Retry) Option {
	return func(s *settings) error {
		if r.MaxAttempts < 0 || r.BaseDelay < 0 || r.MaxDelay < 0 || r.MaxRetryAfter < 0 {
			return invalid("WithRetry", "no field may be negative")
		}
		pick := func(field *time.Duration, value time.Duration) {
			if value > 0 {
				*field = value
			}
		}
		if r.MaxAttempts > 0 {
			s.policy.MaxAttempts = r.MaxAttempts
		}
		pick(&s.policy.BaseDelay, r.BaseDelay)
		pick(&s.policy.MaxDelay, r.MaxDelay)
		pick(&s.policy.MaxRetryAfter, r.MaxRetryAfter)
		s.policy.RateLimitMayProcess = r.RateLimitMayProcess
		return nil
	}
}

// WithTimeouts bounds one attempt, from sending it to the last byte of its response (10 s by
// default), and a whole call with its retries and waits (30 s by default). If the caller's context
// has a deadline, that replaces the timeout of the call.
func WithTimeouts(attempt, call time.Duration) Option {
	return func(s *settings) error {
		if attempt <= 0 || call <= 0 {
			return invalid("WithTimeouts", "both timeouts must be positive")
		}
		s.attemptTimeout, s.callTimeout = attempt, call
		return nil
	}
}

// WithMaxResponseBytes bounds the size of a response after decompression, 4 MiB by default. A
// larger response is [ErrInvalidResponse]. A search page of 1,000 clients with full metadata can
// exceed the default.
func WithMaxResponseBytes(n int64) Option {
	return func(s *settings) error {
		if n <= 0 {
			return invalid("WithMaxResponseBytes", "the limit must be positive")
		}
		s.maxResponse = min(n, math.MaxInt64-1) // one more byte is read, to notice a larger one
		return nil
	}
}

// WithObserver calls f after every attempt, before its response is decoded, in the goroutine of the
// call. f must be quick and safe for concurrent use. If it panics, the call goes on.
func WithObserver(f func(context.Context, Attempt)) Option {
	return func(s *settings) error {
		if f == nil {
			return invalid("WithObserver", "observer must not be nil")
		}
		s.observe = f
		return nil
	}
}
