// Package m2mgrpc brings access tokens of Stytch to gRPC: interceptors that verify them, and credentials that send them.
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
// A handler finds the claims with [github.com/stytchkit/m2m/stytch/verify.ClaimsFromContext]. A client:
//
//	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(tls), grpc.WithPerRPCCredentials(m2mgrpc.Credentials(source)))
//
// with a [github.com/stytchkit/m2m/stytch/token.Source] or anything that has its method.
package m2mgrpc
