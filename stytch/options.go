package stytch

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stytchkit/m2m/internal/baseurl"
	"github.com/stytchkit/m2m/internal/retry"
)

// Option changes a setting of [New]. An option that is given a bad value makes New fail.
type Option func(*settings) error

type settings struct {
	base           *url.URL
	http           *http.Client
	gate           *dialGate // of our own transport
	userAgent      []string  // one header value
	policy         retry.Policy
	attemptTimeout time.Duration
	timeout        time.Duration
	maxAnswer      int64
	observe        func(context.Context, Attempt)
}

func defaults() settings {
	gate := newDialGate()
	return settings{
		http:           &http.Client{Transport: newTransport(gate)},
		gate:           gate,
		userAgent:      []string{userAgent},
		policy:         retry.Policy{MaxAttempts: 3, BaseDelay: 100 * time.Millisecond, MaxDelay: 20 * time.Second, MaxRetryAfter: time.Minute},
		attemptTimeout: 10 * time.Second,
		timeout:        30 * time.Second,
		maxAnswer:      4 << 20,
	}
}

// WithBaseURL sends all requests to another address: a custom domain, a proxy, a local Stytch. It must be https, or http to
// a loopback address, without user info, query or fragment. It may have a path, which every request's path is put behind; a
// trailing slash changes nothing.
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

// WithHTTPClient sends requests through the Transport of another http.Client, for a proxy, a client certificate or
// instrumentation. The http.Client is never changed. Its Timeout bounds each attempt; its Jar and CheckRedirect have no part,
// because neither cookies nor redirects are used. Without this option, TLS 1.2 is required, the proxy of the environment is
// used, and idle connections are kept for as many callers as there were.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return invalid("WithHTTPClient", "http.Client must not be nil")
		}
		s.http, s.gate = client, nil
		return nil
	}
}

// WithUserAgent puts a product such as "billing/1.4" before the SDK's own in the User-Agent header.
func WithUserAgent(product string) Option {
	return func(s *settings) error {
		if product == "" || strings.ContainsFunc(product, func(r rune) bool { return r < ' ' || r > '~' }) {
			return invalid("WithUserAgent", "product must be printable ASCII and not empty")
		}
		s.userAgent = []string{product + " " + userAgent}
		return nil
	}
}

// Retry bounds how a call is retried. A zero field keeps the default.
type Retry struct {
	MaxAttempts   int           // requests that a call makes at most, the first included; 3 by default, 1 never retries
	BaseDelay     time.Duration // the first wait is random below it, each further one below twice as much; 100 ms by default
	MaxDelay      time.Duration // no chosen wait is longer; 20 s by default
	MaxRetryAfter time.Duration // if Stytch asks for more, the call ends and the error says how much; 1 min by default

	// RateLimitMayProcess distrusts 429. By default it is taken as proof that a request had no effect, so that even
	// operations which cannot be repeated are sent again after it. Stytch does not document this.
	RateLimitMayProcess bool
}

// WithRetry changes how calls are retried. What is retried at all depends on the operation: see the package documentation.
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

// WithTimeouts bounds one attempt, from sending it to the last byte of its answer (10 s by default), and a whole call with
// its retries and waits (30 s by default). The second one yields to a deadline of the caller's context, which always holds.
func WithTimeouts(attempt, call time.Duration) Option {
	return func(s *settings) error {
		if attempt <= 0 || call <= 0 {
			return invalid("WithTimeouts", "both timeouts must be positive")
		}
		s.attemptTimeout, s.timeout = attempt, call
		return nil
	}
}

// WithMaxResponseBytes bounds the size of an answer after decompression, 4 MiB by default. A search page of 1,000 clients
// with full metadata can be larger. An answer that exceeds it is [ErrInvalidResponse].
func WithMaxResponseBytes(n int64) Option {
	return func(s *settings) error {
		if n <= 0 {
			return invalid("WithMaxResponseBytes", "the limit must be positive")
		}
		s.maxAnswer = min(n, math.MaxInt64-1) // one more is read to find out
		return nil
	}
}

// WithObserver calls f after every attempt, before its answer is decoded, in the goroutine of the call. f must be quick and
// safe for concurrent use.
func WithObserver(f func(context.Context, Attempt)) Option {
	return func(s *settings) error {
		if f == nil {
			return invalid("WithObserver", "observer must not be nil")
		}
		s.observe = f
		return nil
	}
}
