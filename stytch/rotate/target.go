package rotate

import (
	"context"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Target is the API that rotates secrets: the Secrets of the M2M clients or of the Connected Apps
// of a project. Implementations must be safe for concurrent use, must not repeat Start, Complete or
// Cancel after a lost response, and must not put secrets into errors.
//
// Start may return a secret and an error: then the secret is valid, and something else in the
// response is not as expected. It is stored like any other, because it is never shown again.
//
// An error may have three methods. OutcomeUnknown() bool reports whether the call may have taken
// effect; without the method it is assumed that it may. Throttled() (wait time.Duration, ok bool)
// reports that the server asks for fewer requests, and for how long to pause. Gone() bool reports
// that the client does not exist, or is one without a secret, so that no later call can succeed.
type Target interface {
	Start(ctx context.Context, clientID string) (next secret.String, err error)
	Complete(ctx context.Context, clientID string) error
	Cancel(ctx context.Context, clientID string) error
	LastFour(ctx context.Context, clientID string) (secret.LastFour, error)
}

// Prober proves whether the server accepts a secret. An error means that nothing was proved. A
// prober must return true only after the secret was used successfully, and false only after the
// server refused it.
type Prober interface {
	Probe(ctx context.Context, clientID string, s secret.String) (accepted bool, err error)
}

// ProberFunc is a function that is a [Prober].
type ProberFunc func(ctx context.Context, clientID string, s secret.String) (bool, error)

// Probe calls f.
func (f ProberFunc) Probe(ctx context.Context, clientID string, s secret.String) (bool, error) {
	return f(ctx, clientID, s)
}

// ByLastFour is a prober that compares the last four characters of a secret with those that the
// target returns. It costs no token and proves little: two secrets may end alike, and the client
// may be inactive. It is for the secrets of Connected Apps, which no token request can prove.
func ByLastFour(target Target) Prober { return lastFourProber{target} }

type lastFourProber struct{ target Target }

func (p lastFourProber) Probe(ctx context.Context, clientID string, s secret.String) (bool, error) {
	seen, err := p.target.LastFour(ctx, clientID)
	if err != nil {
		return false, err
	}
	end := lastFour(s)
	return end == seen.Current || seen.Rotating() && end == seen.Next, nil
}

// lastFour is what a target returns for s; "" only for no secret.
func lastFour(s secret.String) string {
	text := s.Reveal()
	return text[max(0, len(text)-4):]
}

// Limiter bounds how many requests are sent to the server. [Bucket] is one for a process; a journal
// may have one for all workers. Implementations must be safe for concurrent use.
type Limiter interface {
	// Wait returns when one more request may be sent, or with the error of ctx.
	Wait(ctx context.Context) error
	// Throttle is called when the server asked for fewer requests: none for the given time, if that
	// is positive.
	Throttle(wait time.Duration)
}
