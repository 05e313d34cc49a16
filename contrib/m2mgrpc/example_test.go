package m2mgrpc_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"log"
	"net"
	"net/http/httptest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	health "google.golang.org/grpc/health/grpc_health_v1"

	m2mgrpc "github.com/stytchkit/m2m/contrib/m2mgrpc"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
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

// From the token to the handler: a client sends its token with every call, over TLS only, and the
// handler finds out who calls.
func ExampleCredentials() {
	local, err := emulator.Start(emulator.WithM2MClient(emulator.M2MClientSeed{
		ClientID: "worker", Secret: "Correct-Horse-9", Scopes: []string{"read:users"},
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()
	verifier, err := verify.New(local.ProjectID, verify.WithBaseURL(local.URL))
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close()
	guard, err := m2mgrpc.NewGuard(verifier, m2mgrpc.WithDefault(verify.AllScopes("read:users")))
	if err != nil {
		log.Fatal(err)
	}
	https := httptest.NewTLSServer(nil) // for its certificate
	defer https.Close()
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&https.TLS.Certificates[0])),
		grpc.UnaryInterceptor(guard.UnaryServerInterceptor))
	defer server.Stop()
	health.RegisterHealthServer(server, greeter{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()

	source, err := token.New(local.ProjectID, token.Static("worker", secret.New("Correct-Horse-9")), token.WithBaseURL(local.URL))
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	roots := x509.NewCertPool()
	roots.AddCert(https.Certificate())
	connection, err := grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, "example.com")),
		grpc.WithPerRPCCredentials(m2mgrpc.Credentials(source)))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	for range 2 {
		if _, err := health.NewHealthClient(connection).Check(context.Background(), &health.HealthCheckRequest{}); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("billed:", local.TokensMinted("worker"))
	// Output:
	// a call of worker
	// a call of worker
	// billed: 1
}

// greeter is the service of the example.
type greeter struct {
	health.UnimplementedHealthServer
}

func (greeter) Check(ctx context.Context, _ *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	claims, _ := verify.ClaimsFromContext(ctx)
	fmt.Println("a call of", claims.ClientID)
	return &health.HealthCheckResponse{}, nil
}
