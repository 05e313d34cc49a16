package m2mgrpc_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	m2mgrpc "github.com/stytchkit/m2m/contrib/m2mgrpc"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

// certificates are those that net/http/httptest comes with, for example.com.
func certificates(t *testing.T) (server, client credentials.TransportCredentials) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return credentials.NewServerTLSFromCert(&s.TLS.Certificates[0]), credentials.NewTLS(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
}

func newSource(t *testing.T, s *emulator.Server, clientSecret string) *token.Source {
	t.Helper()
	source, err := token.New(s.ProjectID, token.Static(clientID, secret.New(clientSecret)), token.WithBaseURL(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close() })
	return source
}

// From the source of tokens to the handler, over TLS: ten calls of two kinds cost one token.
func TestCredentials(t *testing.T) {
	s := newStytch(t)
	serverTLS, clientTLS := certificates(t)
	guard := newGuard(t, newVerifier(t, s), m2mgrpc.WithDefault(verify.AllScopes("read:users")))
	client := serve(t, guard, []grpc.ServerOption{grpc.Creds(serverTLS)},
		grpc.WithTransportCredentials(clientTLS), grpc.WithPerRPCCredentials(m2mgrpc.Credentials(newSource(t, s, clientSecret))))
	for range 5 {
		for _, method := range []string{check, watch} {
			if got, err := call(t.Context(), client, method); err != nil || got != health.HealthCheckResponse_SERVING {
				t.Fatalf("%s: %v, %v", method, got, err)
			}
		}
	}
	if n := s.TokensMinted(clientID); n != 1 {
		t.Errorf("%d tokens were minted, want 1", n)
	}
}

func TestCredentialsWithoutEncryption(t *testing.T) {
	s := newStytch(t)
	source := newSource(t, s, clientSecret)
	if _, err := grpc.NewClient("passthrough:///example.com", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(m2mgrpc.Credentials(source))); err == nil {
		t.Error("gRPC makes a connection that would send tokens in the clear")
	}
	client := serve(t, newGuard(t, newVerifier(t, s)), nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if _, err := client.Check(t.Context(), &health.HealthCheckRequest{}, grpc.PerRPCCredentials(m2mgrpc.Credentials(source))); status.Code(err) != codes.Unauthenticated {
		t.Errorf("%v for one call in the clear, want Unauthenticated", err)
	}
	if _, err := m2mgrpc.Credentials(source).GetRequestMetadata(t.Context()); status.Code(err) != codes.Unauthenticated {
		t.Errorf("%v outside of a call, want Unauthenticated", err)
	}
	if n := s.TokensMinted(clientID); n != 0 {
		t.Errorf("%d tokens were minted for calls that cannot be made", n)
	}
	plaintext := serve(t, newGuard(t, newVerifier(t, s)), nil,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(m2mgrpc.PlaintextCredentials(source)))
	if _, err := call(t.Context(), plaintext, check); err != nil {
		t.Error(err)
	}
}

// failing is a source without tokens.
type failing struct{ err error }

func (f failing) Token(context.Context) (token.Token, error) { return token.Token{}, f.err }

// panicking is a source with a fault.
type panicking struct{}

func (panicking) Token(context.Context) (token.Token, error) { panic("canary") }

func TestCredentialsWithoutToken(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	s := newStytch(t)
	for _, test := range []struct {
		name   string
		ctx    context.Context
		source m2mgrpc.Source
		want   codes.Code
	}{
		{"endpoint down", t.Context(), failing{token.ErrUnavailable}, codes.Unavailable},
		{"an attempt took too long", t.Context(), failing{context.DeadlineExceeded}, codes.Unavailable},
		{"budget", t.Context(), failing{token.ErrBudget}, codes.Unavailable},
		{"panic", t.Context(), panicking{}, codes.Internal},
		{"no source", t.Context(), nil, codes.Internal},
		{"unknown", t.Context(), failing{errors.New("no")}, codes.Unavailable},
		{"the caller left", canceled, failing{context.Canceled}, codes.Canceled},
		{"refused", t.Context(), newSource(t, s, "wrong-canary-5c1d"), codes.Unauthenticated},
	} {
		t.Run(test.name, func(t *testing.T) {
			header, err := m2mgrpc.PlaintextCredentials(test.source).GetRequestMetadata(test.ctx)
			if status.Code(err) != test.want || header != nil {
				t.Errorf("%v, want %v", err, test.want)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Error("the error quotes the secret")
			}
		})
	}
}
