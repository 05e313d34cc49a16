package m2mgrpc

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/stytchkit/m2m/internal/guard"
	"github.com/stytchkit/m2m/stytch/token"
)

// A Source returns a token for every call. [token.Source] is one.
type Source interface {
	Token(ctx context.Context) (token.Token, error)
}

// Credentials sends a token of the source with every call, over encrypted connections only: gRPC
// refuses to connect over others. A call for which there is no token ends with Unavailable, or with
// Unauthenticated if the source's credentials or scopes were refused.
//
// If a server refuses a token, the source still keeps it: call [token.Source.Invalidate] to drop
// it.
func Credentials(source Source) credentials.PerRPCCredentials { return &perRPC{source: source} }

// PlaintextCredentials is [Credentials] that also sends the token over unencrypted connections,
// where everyone on the way can read and use it. It is meant for a proxy on the same machine that
// encrypts, and for tests.
func PlaintextCredentials(source Source) credentials.PerRPCCredentials {
	return &perRPC{source: source, plaintext: true}
}

type perRPC struct {
	source    Source
	plaintext bool
}

// RequireTransportSecurity is called by gRPC when it connects.
func (p *perRPC) RequireTransportSecurity() bool { return !p.plaintext }

// GetRequestMetadata is called by gRPC for every call.
func (p *perRPC) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	if !p.plaintext {
		info, _ := credentials.RequestInfoFromContext(ctx)
		if err := credentials.CheckSecurityLevel(info.AuthInfo, credentials.PrivacyAndIntegrity); err != nil {
			return nil, status.Error(codes.Unauthenticated, "m2mgrpc: the connection is not encrypted")
		}
	}
	if p.source == nil {
		return nil, status.Error(codes.Internal, "m2mgrpc: Credentials needs a Source")
	}
	var t token.Token
	err := guard.Call("Source.Token", func() (err error) { t, err = p.source.Token(ctx); return err })
	switch {
	case err == nil:
	case isPanic(err):
		return nil, status.Error(codes.Internal, "m2mgrpc: no access token: Source.Token panicked") // its text may hold anything
	case ctx.Err() != nil:
		return nil, status.FromContextError(ctx.Err()).Err()
	case errors.Is(err, token.ErrInvalidClient), errors.Is(err, token.ErrInvalidScope), errors.Is(err, token.ErrCredentials):
		return nil, status.Error(codes.Unauthenticated, "m2mgrpc: no access token: "+err.Error()) // trying again will not help
	default:
		return nil, status.Error(codes.Unavailable, "m2mgrpc: no access token: "+err.Error())
	}
	return map[string]string{"authorization": "Bearer " + t.Value.Reveal()}, nil
}
