// Package retry decides, by the meaning of an operation and never by its HTTP method, whether a failed attempt may be
// repeated, whether it may have taken effect all the same, and how long to wait.
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
	MaxAttempts   int           // requests a call makes at most
	BaseDelay     time.Duration // upper end of the first wait; each further one doubles it
	MaxDelay      time.Duration // upper end of any wait the client chooses itself
	MaxRetryAfter time.Duration // a longer wait that the server asks for ends the call instead

	// RateLimitMayProcess says that a 429 does not prove that nothing happened. Stytch does not document that it does;
	// by default it is taken to, and a shown-once operation is repeated after it.
	RateLimitMayProcess bool
}

// rateLimitDelay is the upper end of the first wait after a 429 without a Retry-After header: windows are fixed, so all
// clients that were refused come back together unless they spread out.
const rateLimitDelay = time.Second

// Failure is one failed attempt: an HTTP status, or an error without an answer.
type Failure struct {
	Status int
	Err    error

	// NotSent says that the server cannot have seen the request, because its header was never written.
	NotSent bool
	// ResponseLost says that an answer began but could not be read to its end.
	ResponseLost bool
}

// Decision is what a failure means for the call.
type Decision struct {
	Retry     bool // another attempt is safe and may help
	Ambiguous bool // the request may have taken effect
}

// Decide judges one failed attempt of an operation of the given safety.
func (p Policy) Decide(safety operation.Safety, f Failure) Decision {
	mayHelp, processed := p.judge(f)
	if safety == operation.ShownOnce && processed {
		return Decision{Ambiguous: true}
	}
	return Decision{Retry: mayHelp, Ambiguous: processed}
}

// judge says whether repeating may help and whether the attempt may have been processed.
func (p Policy) judge(f Failure) (mayHelp, processed bool) {
	if f.ResponseLost {
		return true, true
	}
	if f.Err != nil {
		return !permanent(f.Err), !f.NotSent && !dialFailed(f.Err)
	}
	if f.Status/100 == 2 { // a success with a body that is none
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
		return false, f.Status >= 500 || f.Status == 499 // nginx: the client went away
	}
}

// permanent reports failures that the next attempt would meet again.
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

// dialFailed reports failures before any connection stood. A broken TLS record is not among them: it can come with the answer.
func dialFailed(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") || errors.As(err, &dns) || untrusted(err)
}

// Waits is the schedule of one call: full jitter around delays that double. After a 429 they begin higher.
type Waits struct {
	policy           Policy
	regular, limited *backoff.ExponentialBackOff
}

// Waits starts the schedule of one call.
func (p Policy) Waits() Waits { return Waits{policy: p} }

// Next is the wait before the next attempt: its own choice, or what the server asked for if that is longer. ok is false
// if the server asked for more than the policy allows: then waiting less would only be refused again.
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

// schedule spreads each wait over all of its delay, by a randomization of 1 around half of it.
func (p Policy) schedule(base time.Duration) *backoff.ExponentialBackOff {
	half := p.MaxDelay / 2
	return &backoff.ExponentialBackOff{InitialInterval: min(base/2, half), RandomizationFactor: 1, Multiplier: 2, MaxInterval: half}
}
