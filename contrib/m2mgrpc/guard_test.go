package m2mgrpc_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	m2mgrpc "github.com/stytchkit/m2m/contrib/m2mgrpc"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/verify"
)

const (
	clientID     = "m2m-client-test-00000000-0000-4000-8000-000000000001"
	clientSecret = "Correct-Horse-9"

	check = "/grpc.health.v1.Health/Check" // unary
	watch = "/grpc.health.v1.Health/Watch" // a stream
)

// service answers with the claims of the caller: that there are some, and whose.
type service struct {
	health.UnimplementedHealthServer
}

func answer(ctx context.Context) *health.HealthCheckResponse {
	claims, ok := verify.ClaimsFromContext(ctx)
	switch {
	case !ok:
		return &health.HealthCheckResponse{Status: health.HealthCheckResponse_UNKNOWN}
	case claims.ClientID == clientID:
		return &health.HealthCheckResponse{Status: health.HealthCheckResponse_SERVING}
	}
	return &health.HealthCheckResponse{Status: health.HealthCheckResponse_NOT_SERVING}
}

func (service) Check(ctx context.Context, _ *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	return answer(ctx), nil
}

func (service) Watch(_ *health.HealthCheckRequest, s grpc.ServerStreamingServer[health.HealthCheckResponse]) error {
	return s.Send(answer(s.Context()))
}

// serve runs the service behind a guard and returns a connection to it.
func serve(t *testing.T, guard *m2mgrpc.Guard, serverOptions []grpc.ServerOption, dialOptions ...grpc.DialOption) health.HealthClient {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	server := grpc.NewServer(append(serverOptions,
		grpc.ChainUnaryInterceptor(guard.UnaryServerInterceptor), grpc.ChainStreamInterceptor(guard.StreamServerInterceptor))...)
	health.RegisterHealthServer(server, service{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	if dialOptions == nil {
		dialOptions = []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	}
	conn, err := grpc.NewClient("passthrough:///example.com", append(dialOptions,
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
		<-done
	})
	return health.NewHealthClient(conn)
}

func newStytch(t *testing.T) *emulator.Server {
	return emulatortest.NewServer(t, emulator.WithM2MClient(emulator.M2MClientSeed{
		ClientID: clientID, Secret: clientSecret, Scopes: []string{"read:users"},
	}))
}

func newVerifier(t *testing.T, s *emulator.Server, options ...verify.Option) *verify.Verifier {
	t.Helper()
	v, err := verify.New(s.ProjectID, append([]verify.Option{verify.WithBaseURL(s.URL)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

func newGuard(t *testing.T, v *verify.Verifier, options ...m2mgrpc.Option) *m2mgrpc.Guard {
	t.Helper()
	g, err := m2mgrpc.NewGuard(v, options...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// sign makes a token of the client that was issued some time ago and lives for an hour.
func sign(t *testing.T, s *emulator.Server, scope string, ago time.Duration) string {
	t.Helper()
	issued := time.Now().Add(-ago).Unix()
	token, err := s.Sign(map[string]any{
		"iss": "stytch.com/" + s.ProjectID, "aud": []string{s.ProjectID}, "sub": clientID, "scope": scope,
		"iat": issued, "nbf": issued, "exp": issued + 3600,
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// call makes a call of each kind and returns how it ended.
func call(ctx context.Context, client health.HealthClient, method string) (health.HealthCheckResponse_ServingStatus, error) {
	if method == check {
		response, err := client.Check(ctx, &health.HealthCheckRequest{})
		return response.GetStatus(), err
	}
	stream, err := client.Watch(ctx, &health.HealthCheckRequest{})
	if err != nil {
		return 0, err
	}
	response, err := stream.Recv()
	return response.GetStatus(), err
}

func TestGuard(t *testing.T) {
	s := newStytch(t)
	v := newVerifier(t, s)
	good, old, expired := sign(t, s, "read:users", 0), sign(t, s, "read:users", 30*time.Minute), sign(t, s, "read:users", 24*time.Hour)
	plain := newGuard(t, v)
	own := func(verify.Claims, time.Time) error { return errors.New("canary") }
	unknown := func(verify.Claims, time.Time) error { return verify.ErrCheckUnavailable }
	panics := func(verify.Claims, time.Time) error { panic("canary") }

	for _, test := range []struct {
		name          string
		guard         *m2mgrpc.Guard
		authorization []string
		want          codes.Code
		text          string
	}{
		{"good", plain, []string{"Bearer " + good}, codes.OK, ""},
		{"lower case", plain, []string{"bearer " + good}, codes.OK, ""},
		{"no token", plain, nil, codes.Unauthenticated, "required"},
		{"other scheme", plain, []string{"Basic canary"}, codes.Unauthenticated, "required"},
		{"malformed", plain, []string{"Bearer canary canary"}, codes.Unauthenticated, "malformed"},
		{"two", plain, []string{"Bearer " + good, "Bearer " + good}, codes.Unauthenticated, "malformed"},
		{"not a token", plain, []string{"Bearer canary"}, codes.Unauthenticated, "not valid"},
		{"bad signature", plain, []string{"Bearer " + good[:len(good)-8] + "AAAAAAAA"}, codes.Unauthenticated, "not valid"},
		{"expired", plain, []string{"Bearer " + expired}, codes.Unauthenticated, "expired"},
		{"too old", newGuard(t, v, m2mgrpc.WithDefault(verify.MaxAge(10*time.Minute))), []string{"Bearer " + old}, codes.Unauthenticated, "too old"},
		{"scope", newGuard(t, v, m2mgrpc.WithDefault(verify.AllScopes("read:users"))), []string{"Bearer " + good}, codes.OK, ""},
		{"no scope", newGuard(t, v, m2mgrpc.WithDefault(verify.AllScopes("write:users"))), []string{"Bearer " + good}, codes.PermissionDenied, "lacks a scope"},
		{"a check of one's own", newGuard(t, v, m2mgrpc.WithDefault(own)), []string{"Bearer " + good}, codes.PermissionDenied, "not permit"},
		{"another kind", newGuard(t, newVerifier(t, s, verify.WithConnectedApps())), []string{"Bearer " + good}, codes.Unauthenticated, "nor another one"},
		{"a check that panics", newGuard(t, v, m2mgrpc.WithDefault(panics)), []string{"Bearer " + good}, codes.Internal, "cannot be verified"},
		{"no verifier", newGuard(t, &verify.Verifier{}), []string{"Bearer " + good}, codes.Internal, "cannot be verified"},
		{"no guard", &m2mgrpc.Guard{}, []string{"Bearer " + good}, codes.Internal, "NewGuard"},
		{"a check that cannot be made", newGuard(t, v, m2mgrpc.WithDefault(unknown)), []string{"Bearer " + good}, codes.Unavailable, "cannot be verified"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := serve(t, test.guard, nil)
			ctx := metadata.NewOutgoingContext(t.Context(), metadata.MD{"authorization": test.authorization})
			for _, method := range []string{check, watch} {
				got, err := call(ctx, client, method)
				if status.Code(err) != test.want || !strings.Contains(status.Convert(err).Message(), test.text) {
					t.Errorf("%s: %v, want %v and %q", method, err, test.want, test.text)
				}
				if err == nil && got != health.HealthCheckResponse_SERVING {
					t.Errorf("%s: the handler saw no claims, or others: %v", method, got)
				}
				if err != nil && strings.Contains(err.Error(), "canary") {
					t.Errorf("%s: the status quotes the token or the check", method)
				}
			}
		})
	}
}

func TestGuardRules(t *testing.T) {
	s := newStytch(t)
	v := newVerifier(t, s)
	write, read := verify.AllScopes("write:users"), verify.AllScopes("read:users")
	for _, test := range []struct {
		name         string
		options      []m2mgrpc.Option
		check, watch codes.Code
	}{
		{"by method", []m2mgrpc.Option{m2mgrpc.WithMethod(check, read), m2mgrpc.WithMethod(watch, write)}, codes.OK, codes.PermissionDenied},
		{"by service", []m2mgrpc.Option{m2mgrpc.WithMethod("/grpc.health.v1.Health/*", write)}, codes.PermissionDenied, codes.PermissionDenied},
		{"method before service", []m2mgrpc.Option{m2mgrpc.WithMethod("/grpc.health.v1.Health/*", write), m2mgrpc.WithMethod(check, read)}, codes.OK, codes.PermissionDenied},
		{"instead of the default", []m2mgrpc.Option{m2mgrpc.WithDefault(write), m2mgrpc.WithMethod(check)}, codes.OK, codes.PermissionDenied},
		{"another service", []m2mgrpc.Option{m2mgrpc.WithMethod("/grpc.health.v1.Heal/*", write), m2mgrpc.WithMethod("/grpc.health.v1.Health/Checker", write)}, codes.OK, codes.OK},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := serve(t, newGuard(t, v, test.options...), nil)
			ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+sign(t, s, "read:users", 0))
			for method, want := range map[string]codes.Code{check: test.check, watch: test.watch} {
				if _, err := call(ctx, client, method); status.Code(err) != want {
					t.Errorf("%s: %v, want %v", method, err, want)
				}
			}
		})
	}
}

// A public method is open even to a bad token, and its handler sees no claims, even of a good one.
func TestGuardPublic(t *testing.T) {
	s := newStytch(t)
	client := serve(t, newGuard(t, newVerifier(t, s), m2mgrpc.WithPublic(check)), nil)
	for _, authorization := range []string{"", "Bearer x", "Bearer " + sign(t, s, "", 0)} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", authorization)
		if got, err := call(ctx, client, check); err != nil || got != health.HealthCheckResponse_UNKNOWN {
			t.Errorf("%v, %v", got, err)
		}
	}
	if _, err := call(t.Context(), client, watch); status.Code(err) != codes.Unauthenticated {
		t.Errorf("%v for a method that is not public", err)
	}
}

// The observer of the verifier learns of every call that is refused, those without a token
// included.
func TestGuardReportsRefusals(t *testing.T) {
	s := newStytch(t)
	reasons := make(chan string, 10)
	v := newVerifier(t, s, verify.WithObserver(func(_ context.Context, e verify.Event) {
		if e.Kind == verify.TokenRefused {
			reasons <- e.Refusal.Reason + " " + e.Refusal.ClientID
		}
	}))
	client := serve(t, newGuard(t, v, m2mgrpc.WithDefault(verify.AllScopes("write:users"))), nil)
	for _, test := range []struct{ authorization, want string }{
		{"", "no_token "}, {"Bearer a b", "invalid_request "}, {"Bearer a.b.c", "malformed "}, {"Bearer " + sign(t, s, "read:users", 0), "scope " + clientID},
	} {
		ctx := t.Context()
		if test.authorization != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", test.authorization)
		}
		for _, method := range []string{check, watch} {
			if _, err := call(ctx, client, method); err == nil {
				t.Error("accepted")
			}
			if got := <-reasons; got != test.want {
				t.Errorf("%s: %q, want %q", method, got, test.want)
			}
		}
	}
	if refused := v.Stats().Refused; refused["no_token"] != 2 || refused["scope"] != 2 || len(refused) != 4 {
		t.Errorf("%v", refused)
	}
}

// noKeys fails every request for keys.
type noKeys struct{}

func (noKeys) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no route to host")
}

func TestGuardWithoutKeys(t *testing.T) {
	s := newStytch(t)
	client := serve(t, newGuard(t, newVerifier(t, s, verify.WithHTTPClient(&http.Client{Transport: noKeys{}}))), nil)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+sign(t, s, "", 0))
	for _, method := range []string{check, watch} {
		if _, err := call(ctx, client, method); status.Code(err) != codes.Unavailable {
			t.Errorf("%s: %v, want Unavailable", method, err)
		}
	}
}

// slowKeys responds only when its context has ended.
type slowKeys struct{}

func (slowKeys) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// lateKeys fails with a timeout, though the caller has time left.
type lateKeys struct{}

func (lateKeys) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, context.DeadlineExceeded
}

// A call that its caller ends gets that status; a fetch of keys that took too long is not its
// fault.
func TestGuardContext(t *testing.T) {
	s := newStytch(t)
	token := "Bearer " + sign(t, s, "", 0)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	for _, test := range []struct {
		name string
		ctx  context.Context
		keys http.RoundTripper
		want codes.Code
	}{
		{"canceled", canceled, slowKeys{}, codes.Canceled},
		{"deadline", late, slowKeys{}, codes.DeadlineExceeded},
		{"fetch too slow", t.Context(), lateKeys{}, codes.Unavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			guard := newGuard(t, newVerifier(t, s, verify.WithHTTPClient(&http.Client{Transport: test.keys})))
			ctx := metadata.NewIncomingContext(test.ctx, metadata.Pairs("authorization", token))
			_, err := guard.UnaryServerInterceptor(ctx, nil, &grpc.UnaryServerInfo{FullMethod: check}, nil)
			if status.Code(err) != test.want {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

func TestNewGuardRefuses(t *testing.T) {
	v := newVerifier(t, newStytch(t))
	for name, options := range map[string][]m2mgrpc.Option{
		"nil option":           {nil},
		"no slash":             {m2mgrpc.WithMethod("users.v1.Users/List")},
		"no method":            {m2mgrpc.WithMethod("/users.v1.Users/")},
		"no service":           {m2mgrpc.WithMethod("//List")},
		"every service":        {m2mgrpc.WithPublic("/*/List")},
		"star inside":          {m2mgrpc.WithPublic("/users.v1.Users/List*")},
		"too deep":             {m2mgrpc.WithMethod("/users/v1/List")},
		"two rules":            {m2mgrpc.WithMethod(check), m2mgrpc.WithPublic(check)},
		"empty checks":         {m2mgrpc.WithMethod(check, []verify.Check{}...)},
		"no checks by default": {m2mgrpc.WithDefault([]verify.Check{}...)},
		"nil check":            {m2mgrpc.WithMethod(check, nil)},
		"nil check by default": {m2mgrpc.WithDefault(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			if g, err := m2mgrpc.NewGuard(v, options...); !errors.Is(err, m2mgrpc.ErrInvalidArgument) || g != nil || !strings.HasPrefix(err.Error(), "m2mgrpc: ") {
				t.Errorf("%v, %v", g, err)
			}
		})
	}
	if _, err := m2mgrpc.NewGuard(nil); !errors.Is(err, verify.ErrInvalidArgument) {
		t.Error("a verifier that is nil is accepted")
	}
}
