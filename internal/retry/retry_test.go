package retry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/operation"
)

// A failure is one of four kinds, by whether repeating helps and whether the request may have been
// processed.
type kind struct{ helps, processed bool }

var (
	refusedBefore = kind{true, false}  // try again, with every operation
	lost          = kind{true, true}   // try again, unless that could do it twice
	final         = kind{false, false} // an answer, or a fault that stays
	finalLost     = kind{false, true}  // repeating does not help, and what happened is not known
)

func status(codes ...int) (failures []Failure) {
	for _, code := range codes {
		failures = append(failures, Failure{Status: code})
	}
	return failures
}

func TestDecide(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for _, c := range []struct {
		name     string
		failures []Failure
		want     kind
	}{
		{"rate limited", status(429), refusedBefore},
		{"too early", status(425), refusedBefore},
		{"transient", status(408, 500, 502, 503, 504), lost},
		{"not implemented", status(501), final},
		{"other server faults", status(505, 507, 508, 511, 520, 599), finalLost},
		{"the client went away", status(499), finalLost},
		{"refusals", status(400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 413, 415, 418, 422, 451), final},
		{"redirects", status(300, 301, 302, 303, 304, 307, 308), final},
		{"a success that is none", status(200, 201, 202, 204, 206), finalLost},
		{"a body that broke off", []Failure{{Status: 200, ResponseLost: true}, {Status: 201, ResponseLost: true}}, lost},

		{"lost connections", errs(io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE,
			&net.OpError{Op: "read", Err: syscall.ECONNRESET}, &net.OpError{Op: "write", Err: syscall.EPIPE}), lost},
		{"timeouts", errs(context.DeadlineExceeded, &net.OpError{Op: "read", Err: timeout{}}), lost},
		{"what nobody has heard of", errs(errors.New("?")), lost},
		{"a TLS record in the middle of an answer", errs(tls.RecordHeaderError{Msg: "?"}), finalLost},
		{"plain HTTP behind https", errs(http.ErrSchemeMismatch), finalLost},

		{"no connection", errs(dial, &net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED},
			&net.OpError{Op: "dial", Err: timeout{}}), refusedBefore},
		{"a name server that is down", errs(&net.DNSError{Err: "server misbehaving", IsTemporary: true},
			&net.OpError{Op: "dial", Err: &net.DNSError{Err: "timeout", IsTimeout: true}}), refusedBefore},
		{"a name that does not exist", errs(&net.DNSError{Err: "no such host", IsNotFound: true},
			&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}), final},
		{"a certificate that is not trusted", errs(x509.UnknownAuthorityError{}, x509.HostnameError{Host: "x", Certificate: &x509.Certificate{}},
			x509.CertificateInvalidError{}, &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
			&net.OpError{Op: "dial", Err: &tls.CertificateVerificationError{Err: errors.New("?")}}), final},
		{"provably not sent", []Failure{{Err: io.EOF, NotSent: true}, {Err: context.DeadlineExceeded, NotSent: true}}, refusedBefore},
		{"provably not sent, and no use", []Failure{{Err: tls.RecordHeaderError{}, NotSent: true}}, final},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, f := range c.failures {
				for _, safety := range []operation.Safety{operation.Read, operation.Idempotent, operation.Billed} {
					if got, want := (Policy{}).Decide(safety, f), (Decision{Retry: c.want.helps, Ambiguous: c.want.processed}); got != want {
						t.Errorf("%s, safety %d: %+v, want %+v", describe(f), safety, got, want)
					}
				}
				want := Decision{Retry: c.want.helps && !c.want.processed, Ambiguous: c.want.processed}
				if got := (Policy{}).Decide(operation.ShownOnce, f); got != want {
					t.Errorf("%s, shown once: %+v, want %+v", describe(f), got, want)
				}
			}
		})
	}
}

func TestDecideDistrusts429(t *testing.T) {
	policy := Policy{RateLimitMayProcess: true}
	if got := policy.Decide(operation.ShownOnce, Failure{Status: 429}); got.Retry || !got.Ambiguous {
		t.Errorf("shown once: %+v", got)
	}
	if got := policy.Decide(operation.Idempotent, Failure{Status: 429}); !got.Retry || !got.Ambiguous {
		t.Errorf("idempotent: %+v", got)
	}
}

func TestWaits(t *testing.T) {
	policy := Policy{BaseDelay: 100 * time.Millisecond, MaxDelay: time.Second, MaxRetryAfter: time.Minute}
	for _, c := range []struct {
		name     string
		policy   Policy
		statuses []int
		bounds   []time.Duration
	}{
		{"doubling up to the cap", policy, []int{503, 503, 503, 503, 503, 503}, ms(100, 200, 400, 800, 1000, 1000)},
		{"no answer", policy, []int{0, 0}, ms(100, 200)},
		{"rate limited", Policy{BaseDelay: policy.BaseDelay, MaxDelay: 3 * time.Second}, []int{429, 429, 429}, ms(1000, 2000, 3000)},
		{"rate limited later", Policy{BaseDelay: policy.BaseDelay, MaxDelay: 20 * time.Second}, []int{503, 429, 503}, ms(100, 2000, 400)},
		{"a cap below the base", Policy{BaseDelay: time.Second, MaxDelay: 10 * time.Millisecond}, []int{503, 503}, ms(10, 10)},
		{"a cap below the rate limit base", Policy{BaseDelay: time.Millisecond, MaxDelay: 50 * time.Millisecond}, []int{429, 429}, ms(50, 50)},
		{"no delays", Policy{}, []int{503, 429}, ms(0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			longest := make([]time.Duration, len(c.bounds))
			for range 2_000 {
				waits := c.policy.Waits()
				for i, status := range c.statuses {
					wait, ok := waits.Next(status, 0)
					if !ok || wait < 0 || wait > c.bounds[i] {
						t.Fatalf("wait %d = %v, %t, want at most %v", i, wait, ok, c.bounds[i])
					}
					longest[i] = max(longest[i], wait)
				}
			}
			for i, wait := range longest {
				if wait < c.bounds[i]/2 { // 2,000 values spread over all of it: one chance in 2^2000 to miss the upper half
					t.Errorf("wait %d was never longer than %v: no full jitter up to %v", i, wait, c.bounds[i])
				}
			}
		})
	}
}

func TestWaitsHonorRetryAfter(t *testing.T) {
	policy := Policy{BaseDelay: 100 * time.Millisecond, MaxDelay: 200 * time.Millisecond, MaxRetryAfter: time.Minute}
	for _, c := range []struct {
		asked time.Duration
		ok    bool
	}{
		{time.Second, true}, {time.Minute, true}, {time.Minute + 1, false}, {1<<63 - 1, false},
	} {
		waits := policy.Waits()
		wait, ok := waits.Next(503, c.asked)
		if ok != c.ok || ok && wait != c.asked {
			t.Errorf("asked for %v: %v, %t", c.asked, wait, ok)
		}
	}
	waits := policy.Waits()
	longest := time.Duration(0)
	for range 1_000 {
		wait, _ := waits.Next(503, time.Nanosecond)
		longest = max(longest, wait)
	}
	if longest < 100*time.Millisecond {
		t.Errorf("a short Retry-After shortened the own waits to %v", longest)
	}
}

type timeout struct{}

func (timeout) Error() string   { return "timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// errs gives every error plain and wrapped, as it comes out of a transport.
func errs(list ...error) (failures []Failure) {
	for _, err := range list {
		failures = append(failures, Failure{Err: err}, Failure{Err: fmt.Errorf("wrapped: %w", err)})
	}
	return failures
}

func ms(values ...int) (durations []time.Duration) {
	for _, v := range values {
		durations = append(durations, time.Duration(v)*time.Millisecond)
	}
	return durations
}

func describe(f Failure) string {
	return fmt.Sprintf("status %d, error %T %v, not sent %t, lost %t", f.Status, f.Err, f.Err, f.NotSent, f.ResponseLost)
}
