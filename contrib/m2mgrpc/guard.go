package m2mgrpc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/stytchkit/m2m/internal/guard"
	"github.com/stytchkit/m2m/stytch/verify"
)

// ErrInvalidArgument means that [NewGuard] was given a value that breaks a rule. It is
// [verify.ErrInvalidArgument].
var ErrInvalidArgument = verify.ErrInvalidArgument

// A Guard verifies the token of every call to a server, as interceptors. It is safe for concurrent
// use.
type Guard struct {
	verifier *verify.Verifier
	settings settings
}

type settings struct {
	rules map[string]rule // by full method, or by "/service/" for a whole service
	other rule            // for every method without a rule of its own
}

type rule struct {
	public bool
	checks []verify.Check
}

// Option changes a setting of [NewGuard]. It fails with [ErrInvalidArgument] if its value breaks a
// rule.
type Option func(*settings) error

// WithMethod sets the checks of a method, "/package.Service/Method", or of all methods of a service
// that have no rule of their own, "/package.Service/*". They replace those of [WithDefault]. A name
// has one rule at most.
func WithMethod(name string, checks ...verify.Check) Option {
	return func(s *settings) error { return s.add("WithMethod", name, rule{checks: checks}) }
}

// WithPublic lets calls of methods through without a token, such as those of a health service.
// Names have the form of those of [WithMethod]. A token that comes with such a call is ignored, so
// there are no claims.
func WithPublic(names ...string) Option {
	return func(s *settings) error {
		for _, name := range names {
			if err := s.add("WithPublic", name, rule{public: true}); err != nil {
				return err
			}
		}
		return nil
	}
}

// WithDefault sets the checks of all methods without a rule. Without it, any valid token will do
// for them.
func WithDefault(checks ...verify.Check) Option {
	return func(s *settings) error {
		s.other = rule{checks: slices.Clone(checks)}
		return s.other.validate("WithDefault")
	}
}

// NewGuard makes a guard. A nil verifier, a bad option or a second rule for a method is
// [ErrInvalidArgument].
func NewGuard(verifier *verify.Verifier, options ...Option) (*Guard, error) {
	if verifier == nil {
		return nil, invalid("NewGuard", "the verifier must not be nil")
	}
	s := settings{rules: map[string]rule{}}
	for i, option := range options {
		if option == nil {
			return nil, invalid("NewGuard", fmt.Sprintf("option %d is nil", i+1))
		}
		if err := option(&s); err != nil {
			return nil, err
		}
	}
	return &Guard{verifier, s}, nil
}

func (s *settings) add(option, name string, r rule) error {
	parts := strings.Split(name, "/")
	if len(parts) != 3 || parts[0] != "" || parts[1] == "" || parts[2] == "" || strings.Contains(parts[1], "*") {
		return invalid(option, fmt.Sprintf(`%q must be "/package.Service/Method" or "/package.Service/*"`, name))
	}
	key := name
	if parts[2] == "*" {
		key = strings.TrimSuffix(name, "*")
	} else if strings.Contains(parts[2], "*") {
		return invalid(option, fmt.Sprintf("%q: a * stands for all methods of a service", name))
	}
	if _, exists := s.rules[key]; exists {
		return invalid(option, fmt.Sprintf("%q already has a rule", name))
	}
	r.checks = slices.Clone(r.checks) // an empty list stays an empty list
	s.rules[key] = r
	return r.validate(option)
}

func (r rule) validate(option string) error {
	if r.checks != nil && len(r.checks) == 0 {
		return invalid(option, "the list of checks is empty: name none if any valid token will do")
	}
	if slices.ContainsFunc(r.checks, func(c verify.Check) bool { return c == nil }) {
		return invalid(option, "a check must not be nil")
	}
	return nil
}

func (s *settings) rule(method string) rule {
	if r, ok := s.rules[method]; ok {
		return r
	}
	if r, ok := s.rules[method[:strings.LastIndexByte(method, '/')+1]]; ok {
		return r
	}
	return s.other
}

// argumentError names an argument and the rule that it broke.
type argumentError struct{ where, rule string }

func (e *argumentError) Error() string        { return "m2mgrpc: " + e.where + ": " + e.rule }
func (e *argumentError) Is(target error) bool { return target == ErrInvalidArgument }

func invalid(where, rule string) error { return &argumentError{where, rule} }

// UnaryServerInterceptor is a [grpc.UnaryServerInterceptor]. A call without a valid token ends with
// Unauthenticated, one whose token fails a check with PermissionDenied, and one whose token could
// not be verified with Unavailable. The status says little to the caller: the reason is reported to
// the observer of the verifier, see [verify.WithObserver], and counted in its Stats. A check that
// panics ends the call with Internal, and is not reported.
func (g *Guard) UnaryServerInterceptor(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, err := g.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handler(ctx, request)
}

// StreamServerInterceptor is a [grpc.StreamServerInterceptor], with the errors of
// [Guard.UnaryServerInterceptor]. The token is verified when a stream begins; one that expires
// later does not end it.
func (g *Guard) StreamServerInterceptor(server any, s grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, err := g.admit(s.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return handler(server, &stream{s, ctx})
}

type stream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *stream) Context() context.Context { return s.ctx }

// admit verifies the token of a call and returns the context for its handler. The panic of a check
// must not end the process, as it would in a goroutine of gRPC, nor let the call through.
func (g *Guard) admit(ctx context.Context, method string) (context.Context, error) {
	if g == nil || g.verifier == nil {
		return nil, status.Error(codes.Internal, "m2mgrpc: the Guard must be made by NewGuard")
	}
	r := g.settings.rule(method)
	if r.public {
		return ctx, nil
	}
	var claims verify.Claims
	err := guard.Call("a check", func() (err error) {
		claims, err = g.verifier.VerifyHeader(ctx, metadata.ValueFromIncomingContext(ctx, "authorization"), r.checks...)
		return err
	})
	if err != nil {
		return nil, statusOf(ctx, err)
	}
	return verify.ContextWithClaims(ctx, claims), nil
}

// statusOf has fixed texts: neither a token nor the error of a check leaves the server.
func statusOf(ctx context.Context, err error) error {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case ctx.Err() != nil && is(ctx.Err()): // but not if only a fetch of keys timed out
		return status.FromContextError(ctx.Err()).Err()
	case is(verify.ErrInvalidArgument), isPanic(err):
		return status.Error(codes.Internal, "access tokens cannot be verified")
	case is(verify.ErrKeysUnavailable), is(verify.ErrCheckUnavailable):
		return status.Error(codes.Unavailable, "access tokens cannot be verified at the moment")
	case is(verify.ErrNoToken):
		return status.Error(codes.Unauthenticated, "an access token is required")
	case is(verify.ErrInvalidRequest):
		return status.Error(codes.Unauthenticated, "the authorization metadata is malformed")
	case is(verify.ErrExpired):
		return status.Error(codes.Unauthenticated, "the access token has expired")
	case is(verify.ErrTooOld):
		return status.Error(codes.Unauthenticated, "the access token is too old")
	case is(verify.ErrScope):
		return status.Error(codes.PermissionDenied, "the access token lacks a scope")
	}
	if slices.ContainsFunc(notHere, is) {
		return status.Error(codes.Unauthenticated, "this access token is not accepted, nor another one like it")
	}
	if slices.ContainsFunc(badToken, is) {
		return status.Error(codes.Unauthenticated, "the access token is not valid")
	}
	return status.Error(codes.PermissionDenied, "the access token does not permit this") // the caller's own check
}

// badToken is for tokens that a new one may replace, notHere for those where it would not help.
var (
	badToken = []error{verify.ErrMalformed, verify.ErrUnknownKey, verify.ErrSignature}
	notHere  = []error{
		verify.ErrAlgorithm, verify.ErrNotYetValid, verify.ErrLifetime, verify.ErrIssuer, verify.ErrAudience, verify.ErrKind, verify.ErrInactive,
	}
)

func isPanic(err error) bool {
	var p *guard.PanicError
	return errors.As(err, &p)
}
