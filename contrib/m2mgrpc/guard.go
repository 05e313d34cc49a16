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

	"github.com/stytchkit/m2m/stytch/verify"
)

// A Guard verifies the token of every call, as the interceptors of a server. It is safe for concurrent use.
type Guard struct {
	verifier *verify.Verifier
	rules    map[string]rule // by full method, or by "/service/" for a whole service
	other    rule            // for all that has no rule of its own
}

type rule struct {
	public bool
	checks []verify.Check
}

// An Option of [NewGuard]. It fails if its value cannot be used.
type Option func(*Guard) error

// WithMethod adds checks for a method, named as "/package.Service/Method", or for all of a service that have no rule of their
// own, as "/package.Service/*". They come in place of those of [WithDefault].
func WithMethod(name string, checks ...verify.Check) Option {
	return func(g *Guard) error { return g.add("WithMethod", name, rule{checks: checks}) }
}

// WithPublic lets calls of methods through without a token, such as those of a health service. Names are those of [WithMethod].
// No token is looked at, so there are no claims.
func WithPublic(names ...string) Option {
	return func(g *Guard) error {
		for _, name := range names {
			if err := g.add("WithPublic", name, rule{public: true}); err != nil {
				return err
			}
		}
		return nil
	}
}

// WithDefault sets the checks for all methods without a rule. Without it, any good token will do for them.
func WithDefault(checks ...verify.Check) Option {
	return func(g *Guard) error {
		g.other = rule{checks: slices.Clone(checks)}
		return g.other.validate("WithDefault")
	}
}

// NewGuard makes a guard. It fails if an option does, if the verifier is nil, or if a method has two rules.
func NewGuard(verifier *verify.Verifier, options ...Option) (*Guard, error) {
	if verifier == nil {
		return nil, errors.New("m2mgrpc: the verifier must not be nil")
	}
	g := &Guard{verifier: verifier, rules: map[string]rule{}}
	for i, option := range options {
		if option == nil {
			return nil, fmt.Errorf("m2mgrpc: option %d is nil", i+1)
		}
		if err := option(g); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *Guard) add(option, name string, r rule) error {
	parts := strings.Split(name, "/")
	if len(parts) != 3 || parts[0] != "" || parts[1] == "" || parts[2] == "" || strings.Contains(parts[1], "*") {
		return fmt.Errorf(`m2mgrpc: %s: %q must be "/package.Service/Method" or "/package.Service/*"`, option, name)
	}
	key := name
	if parts[2] == "*" {
		key = strings.TrimSuffix(name, "*")
	} else if strings.Contains(parts[2], "*") {
		return fmt.Errorf("m2mgrpc: %s: %q: a * stands for all methods of a service", option, name)
	}
	if _, exists := g.rules[key]; exists {
		return fmt.Errorf("m2mgrpc: %s: %q has a rule already", option, name)
	}
	r.checks = slices.Clone(r.checks)
	g.rules[key] = r
	return r.validate(option)
}

func (r rule) validate(option string) error {
	if slices.ContainsFunc(r.checks, func(c verify.Check) bool { return c == nil }) {
		return fmt.Errorf("m2mgrpc: %s: a check is nil", option)
	}
	return nil
}

func (g *Guard) rule(method string) rule {
	if r, ok := g.rules[method]; ok {
		return r
	}
	if r, ok := g.rules[method[:strings.LastIndexByte(method, '/')+1]]; ok {
		return r
	}
	return g.other
}

// UnaryServerInterceptor is a [grpc.UnaryServerInterceptor]. A call without a good token ends with Unauthenticated, one whose
// token fails a check with PermissionDenied, and one that nothing could be found out about with Unavailable.
func (g *Guard) UnaryServerInterceptor(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, err := g.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handler(ctx, request)
}

// StreamServerInterceptor is a [grpc.StreamServerInterceptor], with the errors of [Guard.UnaryServerInterceptor]. The token is
// verified when a stream begins; one that expires later does not end it.
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

// admit returns the context for the handler.
func (g *Guard) admit(ctx context.Context, method string) (context.Context, error) {
	r := g.rule(method)
	if r.public {
		return ctx, nil
	}
	raw, err := verify.BearerToken(metadata.ValueFromIncomingContext(ctx, "authorization"))
	if err != nil {
		return nil, statusOf(ctx, err)
	}
	claims, err := g.verifier.Verify(ctx, raw, r.checks...)
	if err != nil {
		return nil, statusOf(ctx, err)
	}
	return verify.ContextWithClaims(ctx, claims), nil
}

// statusOf has fixed texts: neither a token nor what a check says leaves the server.
func statusOf(ctx context.Context, err error) error {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case ctx.Err() != nil && is(ctx.Err()): // not that of a fetch, whose time is its own
		return status.FromContextError(ctx.Err()).Err()
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
	if slices.ContainsFunc(badToken, is) {
		return status.Error(codes.Unauthenticated, "the access token is not valid")
	}
	return status.Error(codes.PermissionDenied, "the access token does not permit this") // a check of the caller's own
}

var badToken = []error{
	verify.ErrMalformed, verify.ErrAlgorithm, verify.ErrUnknownKey, verify.ErrSignature, verify.ErrNotYetValid, verify.ErrLifetime,
	verify.ErrIssuer, verify.ErrAudience, verify.ErrKind, verify.ErrInactive,
}
