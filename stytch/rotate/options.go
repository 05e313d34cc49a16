package rotate

import (
	"context"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
)

// Option changes a setting of [New]. New returns the error of an option with an invalid value.
type Option func(*settings) error

// config is what a rotator goes by.
type config struct {
	target     Target
	deliverers []namedDeliverer
	journal    Journal
	settings
}

type settings struct {
	attempts        int // failures in a row that end a run
	prober          Prober
	current         func(context.Context, string) (secret.String, error)
	grace           time.Duration
	ready           func(context.Context, string) (bool, error)
	readyEvery      time.Duration
	callTimeout     time.Duration
	deliveryTimeout time.Duration
	cleanupTimeout  time.Duration
	now             func() time.Time
	limiter         Limiter
	observers       []func(context.Context, Event)
	takeOver        bool
	unknownCurrent  bool
	compromised     bool
	cancelOnFailure bool
}

func defaults() settings {
	return settings{
		attempts:    4,
		callTimeout: 30 * time.Second, deliveryTimeout: time.Minute, cleanupTimeout: time.Minute,
		now: time.Now, limiter: unlimited{},
	}
}

func (s *settings) apply(options []Option) error {
	for _, option := range options {
		if option == nil {
			return wrong(ErrInvalidArgument, "option must not be nil")
		}
		if err := option(s); err != nil {
			return err
		}
	}
	return nil
}

// claimLife is how long a claim lasts: longer than everything that happens between two writes.
func (s *settings) claimLife() time.Duration { return 4 * max(s.callTimeout, s.deliveryTimeout) }

// ahead is by how much the clock of the journal is ahead of the rotator's.
func (c *config) ahead() time.Duration {
	if clock, ok := c.journal.(interface{ Now() time.Time }); ok {
		return clock.Now().Sub(c.now())
	}
	return 0
}

// WithProber replaces the target's own proof, which is one token request. Connected Apps have none,
// so they need this option.
func WithProber(p Prober) Option {
	return func(s *settings) error {
		if p == nil {
			return wrong(ErrInvalidArgument, "WithProber: prober must not be nil")
		}
		s.prober = p
		return nil
	}
}

// WithCurrent provides the secret that is in use; the zero value means that f does not have it. The
// places of the deliverers that are a [Reader] are asked too. The one that is proved counts. If all
// are refused the rotation is not begun ([ErrCurrentRefused]), and neither is it if no one has a
// secret ([ErrCurrentUnknown], see [WithUnknownCurrent]).
func WithCurrent(f func(ctx context.Context, clientID string) (secret.String, error)) Option {
	return func(s *settings) error {
		if f == nil {
			return wrong(ErrInvalidArgument, "WithCurrent: function must not be nil")
		}
		s.current = f
		return nil
	}
}

// WithUnknownCurrent lets a rotation begin although neither [WithCurrent] nor a place has the
// current secret, as for a client whose secret was lost. It can be completed but not canceled:
// every failure that would need a cancellation ends in [ErrCurrentUnknown]. A service that still
// has the current secret, in a place that the deliverers do not know, loses access.
func WithUnknownCurrent() Option {
	return func(s *settings) error {
		s.unknownCurrent = true
		return nil
	}
}

// WithGrace sets how long both secrets stay in use between the verification and the completion. The
// default is 0.
func WithGrace(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return wrong(ErrInvalidArgument, "WithGrace: must not be negative")
		}
		s.grace = d
		return nil
	}
}

// WithReady delays the completion until check reports that all services use the next secret. It is
// called after the grace period, and then every so often until it returns true.
func WithReady(check func(ctx context.Context, clientID string) (ready bool, err error), every time.Duration) Option {
	return func(s *settings) error {
		if check == nil || every <= 0 {
			return wrong(ErrInvalidArgument, "WithReady: function must not be nil, and the pause must be positive")
		}
		s.ready, s.readyEvery = check, every
		return nil
	}
}

// WithCallTimeout bounds each call of the target, the prober and the journal. The default is 30
// seconds. A claim on the journal lasts four times the longer of this and the timeout of a
// delivery.
func WithCallTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d <= 0 {
			return wrong(ErrInvalidArgument, "WithCallTimeout: must be positive")
		}
		s.callTimeout = d
		return nil
	}
}

// WithDeliveryTimeout bounds each call of a deliverer, and of the functions of [WithCurrent] and
// [WithReady]. The default is one minute.
func WithDeliveryTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d <= 0 {
			return wrong(ErrInvalidArgument, "WithDeliveryTimeout: must be positive")
		}
		s.deliveryTimeout = d
		return nil
	}
}

// WithCleanupTimeout bounds what is still done for safety after the caller's context has ended. The
// default is one minute.
func WithCleanupTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d <= 0 {
			return wrong(ErrInvalidArgument, "WithCleanupTimeout: must be positive")
		}
		s.cleanupTimeout = d
		return nil
	}
}

// WithClock replaces time.Now for everything that is compared or recorded. Waiting goes by the
// system's timers. What workers share goes by the clock of the journal, if it has one: see
// [Journal].
func WithClock(now func() time.Time) Option {
	return func(s *settings) error {
		if now == nil {
			return wrong(ErrInvalidArgument, "WithClock: function must not be nil")
		}
		s.now = now
		return nil
	}
}

// WithLimiter makes each request to the server wait for l, and passes on to l when the server asks
// for fewer requests.
func WithLimiter(l Limiter) Option {
	return func(s *settings) error {
		if l == nil {
			return wrong(ErrInvalidArgument, "WithLimiter: limiter must not be nil")
		}
		s.limiter = l
		return nil
	}
}

// WithObserver calls f after every change of state and every failure, from the goroutine where that
// happens. It may be given more than once. f must be quick and safe for concurrent use. If it
// panics the rotation continues, and the other observers get the panic.
func WithObserver(f func(context.Context, Event)) Option {
	return func(s *settings) error {
		if f == nil {
			return wrong(ErrInvalidArgument, "WithObserver: function must not be nil")
		}
		s.observers = append(s.observers, f)
		return nil
	}
}

// WithTakeOver lets a rotation replace another one that is pending at the server, and is not in the
// journal: it proves the current secret, cancels the pending one, and requests another. A service
// that already uses the canceled one loses access. With [Rotator.Resume], or the Resume of a fleet,
// it applies only to clients whose rotation the journal has unfinished.
func WithTakeOver() Option {
	return func(s *settings) error {
		s.takeOver = true
		return nil
	}
}

// WithCompromised is for a current secret that another party may have: the rotation ends as soon as
// it can. [WithGrace], [WithReady] and [WithCancelOnFailure] do not apply, and a grace period in
// progress is over. A service that has not read the next secret by then loses access until it does.
// After the completion the previous secret is proved to be refused. While it still works the error
// is [ErrCompromised], the rotation stays in [Completing], and another run proves it again.
func WithCompromised() Option {
	return func(s *settings) error {
		s.compromised = true
		return nil
	}
}

// waits reports whether a rotation waits between the verification and the completion.
func (s *settings) waits() bool { return !s.compromised && (s.grace > 0 || s.ready != nil) }

// WithCancelOnFailure cancels a rotation, instead of leaving it to be resumed, when a delivery, its
// verification or the check for readiness fails, or the caller's context ends before the completion
// was requested. The deliverers get the current secret back first. Both secrets keep working until
// that has succeeded.
func WithCancelOnFailure() Option {
	return func(s *settings) error {
		s.cancelOnFailure = true
		return nil
	}
}

// Event is a change of state, or a failure: one that ended a call, or a panic of code that the
// caller provided, such as a deliverer. It holds no secret.
type Event struct {
	Time       time.Time
	ClientID   string
	RotationID string
	From, To   State // the same for a failure
	Working    Working
	Err        error  // nil for a change of state
	Stack      string // of the goroutine, for a panic
}

type unlimited struct{}

func (unlimited) Wait(ctx context.Context) error { return ctx.Err() }
func (unlimited) Throttle(time.Duration)         {}
