package m2mgrpc_test

import (
	"context"
	"fmt"
	"log"

	"google.golang.org/grpc"

	m2mgrpc "github.com/stytchkit/m2m/contrib/m2mgrpc"
	"github.com/stytchkit/m2m/stytch/verify"
)

func ExampleNewGuard() {
	verifier, err := verify.New("project-test-00000000-0000-4000-8000-000000000001")
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close()
	guard, err := m2mgrpc.NewGuard(verifier,
		m2mgrpc.WithMethod("/users.v1.Users/List", verify.AllScopes("read:users")),
		m2mgrpc.WithMethod("/users.v1.Users/*", verify.AllScopes("write:users")),
		m2mgrpc.WithPublic("/grpc.health.v1.Health/*"))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(guard.UnaryServerInterceptor),
		grpc.ChainStreamInterceptor(guard.StreamServerInterceptor))
	defer server.Stop()

	_, err = guard.UnaryServerInterceptor(context.Background(), nil, &grpc.UnaryServerInfo{FullMethod: "/users.v1.Users/List"}, nil)
	fmt.Println(err)
	// Output: rpc error: code = Unauthenticated desc = an access token is required
}
