// Package retry decides whether a failed attempt may be repeated, whether it may have taken effect,
// and how long to wait. The meaning of the operation decides, not its HTTP method.
package retry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/stytchkit/m2m/internal/operation"
)

// Policy bounds the retries of one call.
type Policy struct {
	MaxAttempts   int           // most requests of a call
	BaseDelay     time.Duration // upper bound of the first wait, doubled for each further one
	MaxDelay      time.Duration // upper bound of a wait that the client chooses
	MaxRetryAfter time.Duration // if the server asks for a longer wait, the call ends

	// RateLimitMayProcess says that a request may have taken effect although its response was 429.
	// By default a 429 counts as proof of no effect, so that even a shown-once operation is
	// repeated after it. Stytch documents neither.
	RateLimitMayProcess bool
}

// rateLimitDelay is the upper bound of the first wait after a 429 without a Retry-After header.
// Rate limit windows are fixed, so clients that were refused would all return together if they did
// not spread out.
const rateLimitDelay = time.Second

// Failure is a failed attempt: an HTTP status, or an error without a response.
type Failure struct {
	Status int
	Err    error

	// NotSent says that the server cannot have seen the request, because it never had a connection.
	NotSent bool
	// ResponseLost says that a response began but could not be read to its end.
	ResponseLost bool
}

// Decision is what a failure means for the call.
type Decision struct {
	Retry     bool // another attempt is safe and may help
	Ambiguous bool // the request may have taken effect
}

// Decide decides about a failed attempt of an operation.
func (p Policy) Decide(safety operation.Safety, f Failure) Decision {
	mayHelp, processed := p.judge(f)
	if safety == operation.ShownOnce && processed {
		return Decision{Ambiguous: true}
	}
	return Decision{Retry: mayHelp, Ambiguous: processed}
}

// judge reports whether another attempt may help, and whether the server may have processed this
// one.
func (p Policy) judge(f Failure) (mayHelp, processed bool) {
	if f.ResponseLost {
		return true, true
	}
	if f.Err != nil {
		return !permanent(f.Err), !f.NotSent && !dialFailed(f.Err)
	}
	if f.Status/100 == 2 { // with an invalid body
		return false, true
	}
	switch f.Status {
	case http.StatusTooManyRequests:
		return true, p.RateLimitMayProcess
	case http.StatusTooEarly:
		return true, false
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, true
	case http.StatusNotImplemented:
		return false, false
	default:
		return false, f.Status >= 500 || f.Status == 499 // nginx: the client closed the connection
	}
}

// permanent reports failures that another attempt would repeat.
func permanent(err error) bool {
	var dns *net.DNSError
	var record tls.RecordHeaderError // the other side does not speak TLS
	return errors.As(err, &dns) && dns.IsNotFound || untrusted(err) || errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch)
}

// untrusted reports that the server's certificate was refused.
func untrusted(err error) bool {
	var unknownAuthority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	return errors.As(err, &unknownAuthority) || errors.As(err, &hostname) || errors.As(err, &invalid) || errors.As(err, &verification)
}

// dialFailed reports failures before there was a connection. A broken TLS record is none of them:
// it can be part of the response.
func dialFailed(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") || errors.As(err, &dns) || untrusted(err)
}

// Waits is the schedule of one call: random waits below a bound that doubles, and that begins
// higher after a 429.
type Waits struct {
	policy           Policy
	regular, limited *backoff.ExponentialBackOff
}

// Waits returns the schedule for one call.
func (p Policy) Waits() Waits { return Waits{policy: p} }

// Next is the wait before the next attempt: its own choice, or what the server asked for if that is
// longer. ok is false if the server asked for more than the policy allows.
func (w *Waits) Next(status int, retryAfter time.Duration) (wait time.Duration, ok bool) {
	if retryAfter > w.policy.MaxRetryAfter {
		return 0, false
	}
	if w.regular == nil {
		w.regular = w.policy.schedule(w.policy.BaseDelay)
		w.limited = w.policy.schedule(max(w.policy.BaseDelay, rateLimitDelay))
	}
	own, limited := w.regular.NextBackOff(), w.limited.NextBackOff()
	if status == http.StatusTooManyRequests {
		own = limited
	}
	return max(own, retryAfter), true
}

// schedule draws each wait from zero to its bound, by a randomization of 1 around half the bound.
func (p Policy) schedule(base time.Duration) *backoff.ExponentialBackOff {
	half := p.MaxDelay / 2
	return &backoff.ExponentialBackOff{InitialInterval: min(base/2, half), RandomizationFactor: 1, Multiplier: 2, MaxInterval: half}
}
