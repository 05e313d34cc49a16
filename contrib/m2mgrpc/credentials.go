package m2mgrpc

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/stytchkit/m2m/stytch/token"
)

// A Source has a token for every call. [token.Source] is one.
type Source interface {
	Token(ctx context.Context) (token.Token, error)
}

// Credentials sends a token of the source along with every call, over connections that are encrypted: on any other one, gRPC
// refuses to connect. A call for which there is no token ends with Unavailable, or with Unauthenticated if the source's credentials
// or scopes were refused.
//
// A server that refuses a token does not make the source drop it: who wants that calls [token.Source.Invalidate].
func Credentials(source Source) credentials.PerRPCCredentials { return &perRPC{source: source} }

// PlaintextCredentials is [Credentials] that send the token over connections without encryption as well: for a proxy on the same
// machine that encrypts, and for tests. Whoever sees the connection can use the token.
func PlaintextCredentials(source Source) credentials.PerRPCCredentials {
	return &perRPC{source: source, plaintext: true}
}

type perRPC struct {
	source    Source
	plaintext bool
}

// RequireTransportSecurity is asked by gRPC when the connection is made.
func (p *perRPC) RequireTransportSecurity() bool { return !p.plaintext }

// GetRequestMetadata is called by gRPC for every call.
func (p *perRPC) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	if !p.plaintext {
		info, _ := credentials.RequestInfoFromContext(ctx)
		if err := credentials.CheckSecurityLevel(info.AuthInfo, credentials.PrivacyAndIntegrity); err != nil {
			return nil, status.Error(codes.Unauthenticated, "m2mgrpc: the connection is not encrypted")
		}
	}
	t, err := p.source.Token(ctx)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, status.FromContextError(ctx.Err()).Err()
	case errors.Is(err, token.ErrInvalidClient), errors.Is(err, token.ErrInvalidScope), errors.Is(err, token.ErrCredentials):
		return nil, status.Error(codes.Unauthenticated, "m2mgrpc: no access token: "+err.Error()) // waiting will not help
	default:
		return nil, status.Error(codes.Unavailable, "m2mgrpc: no access token: "+err.Error())
	}
	return map[string]string{"authorization": "Bearer " + t.Value.Reveal()}, nil
}
