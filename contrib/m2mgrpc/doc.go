// Package m2mgrpc uses Stytch access tokens with gRPC: interceptors verify them, and credentials
// send them.
//
// A server:
//
//	guard, err := m2mgrpc.NewGuard(verifier,
//		m2mgrpc.WithMethod("/users.v1.Users/List", verify.AllScopes("read:users")),
//		m2mgrpc.WithMethod("/users.v1.Users/*", verify.AllScopes("write:users")),
//		m2mgrpc.WithPublic("/grpc.health.v1.Health/*"))
//	...
//	server := grpc.NewServer(
//		grpc.ChainUnaryInterceptor(guard.UnaryServerInterceptor),
//		grpc.ChainStreamInterceptor(guard.StreamServerInterceptor))
//
// A handler finds the claims with [github.com/stytchkit/m2m/stytch/verify.ClaimsFromContext]. A
// client:
//
//	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(tls), grpc.WithPerRPCCredentials(m2mgrpc.Credentials(source)))
//
// The source is a [github.com/stytchkit/m2m/stytch/token.Source], or anything else with its method
// Token.
package m2mgrpc
