package awssecrets_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestCrash ends the network at every call of every delivery, before and after the call takes
// effect. What readers get is one delivery or the other at every moment, and a second try makes it
// right, with the same versions as without a crash.
func TestCrash(t *testing.T) {
	a, b, c := secret.Generate(), secret.Generate(), secret.Generate()
	first, second := newRotation("rotation-1", a, b), newRotation("rotation-2", b, c)
	crashes := 0
	for name, steps := range map[string][]rotate.Delivery{
		"completed": {first.both, first.final}, "canceled": {first.both, first.original}, "two in a row": {first.both, first.final, second.both, second.final},
	} {
		for crashed := range steps {
			for _, after := range []bool{false, true} {
				for at, done := 1, false; !done && !t.Failed(); at++ {
					t.Run(fmt.Sprintf("%s/step %d/call %d/after %t", name, crashed, at, after), func(t *testing.T) {
						s := newServer(t)
						s.seed(client, a)
						for i, step := range steps {
							if i == crashed {
								before := s.of(client).current()
								line := &cut{at: at, after: after}
								done = newDeliverer(t, connect(s, line.option)).Deliver(t.Context(), step) == nil
								if now := s.of(client).current(); now != before && now != text(step) {
									t.Error("readers get neither what was there nor what was delivered")
								}
								crashes++
							}
							deliver(t, newDeliverer(t, connect(s)), step)
							settled(t, s, step, i+2)
						}
					})
				}
			}
		}
	}
	if crashes < 90 {
		t.Errorf("%d crashes, want at least 90: the calls of a delivery are not all cut", crashes)
	}
}

// TestCrashThenCancel crashes while both secrets are delivered, and gives the rotation up.
func TestCrashThenCancel(t *testing.T) {
	a, b := secret.Generate(), secret.Generate()
	r := newRotation("rotation-1", a, b)
	for _, after := range []bool{false, true} {
		for at, done := 1, false; !done && !t.Failed(); at++ {
			t.Run(fmt.Sprintf("call %d/after %t", at, after), func(t *testing.T) {
				s := newServer(t)
				s.seed(client, a)
				done = newDeliverer(t, connect(s, (&cut{at: at, after: after}).option)).Deliver(t.Context(), r.both) == nil
				moved := s.of(client).current() == text(r.both)
				d := newDeliverer(t, connect(s))
				deliver(t, d, r.original)
				held, err := d.Read(t.Context(), client)
				if err != nil || !held.Secret.Equal(a) || !held.Previous.IsZero() {
					t.Errorf("the original secret is not back: %v", err)
				}
				now := s.of(client)
				if now.labels["AWSPENDING"] != "" {
					t.Error("AWSPENDING was left behind")
				}
				if most := map[bool]int{true: 3, false: 2}[moved]; len(now.versions) > most {
					t.Errorf("%d versions, want at most %d", len(now.versions), most)
				}
			})
		}
	}
}

// TestLostResponse loses one response, or one request, of a client that repeats as the AWS SDK does
// by default.
func TestLostResponse(t *testing.T) {
	a, b := secret.Generate(), secret.Generate()
	r := newRotation("rotation-1", a, b)
	patient := func(o *secretsmanager.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.RateLimiter, o.Backoff = ratelimit.None, retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
				return aws.BoolTernary(errors.Is(err, errCut))
			}))
		})
	}
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			s := newServer(t)
			s.seed(client, a)
			line := &cut{at: at, after: after, once: true}
			deliver(t, newDeliverer(t, connect(s, patient, line.option)), r.both)
			settled(t, s, r.both, 2)
			if line.calls < at {
				break
			}
		}
	}
}
