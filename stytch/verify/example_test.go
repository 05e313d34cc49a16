package verify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/verify"
)

// local is a local Stytch; in production none of this is needed. In a test, emulator.NewServer
// saves most of it.
func local() (e *emulator.Emulator, address string, end func()) {
	e, err := emulator.New(emulator.WithProject("project-test-1", "secret-test-1"))
	if err != nil {
		panic(err)
	}
	s := httptest.NewServer(e)
	return e, s.URL, s.Close
}

func token(e *emulator.Emulator, more map[string]any) string {
	now := time.Now().Unix()
	claims := map[string]any{"iss": "stytch.com/project-test-1", "aud": []string{"project-test-1"}, "sub": "m2m-client-test-1",
		"scope": "read:*", "iat": now, "nbf": now, "exp": now + 3600}
	for name, value := range more {
		claims[name] = value
	}
	text, err := e.Sign(claims)
	if err != nil {
		panic(err)
	}
	return text
}

func Example() {
	stytch, address, end := local()
	defer end()
	verifier, err := verify.New("project-test-1", verify.WithBaseURL(address)) // without the option: Stytch itself
	if err != nil {
		fmt.Println(err)
		return
	}
	defer verifier.Close()

	claims, err := verifier.Verify(context.Background(), token(stytch, map[string]any{"tenant": "acme"}), verify.AllScopes("read:users"))
	if err != nil {
		fmt.Println(err)
		return
	}
	var custom struct {
		Tenant string `json:"tenant"`
	}
	err = claims.Decode(&custom)
	fmt.Println(claims.ClientID, claims.Scopes(), custom.Tenant, err)

	_, err = verifier.Verify(context.Background(), token(stytch, nil), verify.AllScopes("write:users"))
	fmt.Println(err, errors.Is(err, verify.ErrScope))
	_, err = verifier.Verify(context.Background(), token(stytch, map[string]any{"sub": "user-test-1"}))
	fmt.Println(err, errors.Is(err, verify.ErrKind))
	// Output:
	// m2m-client-test-1 [read:*] acme <nil>
	// verify: scope missing: a required scope was not granted true
	// verify: kind of token not accepted: the subject is not an M2M client true
}

// The signing key is rotated, and the old one taken out, while tokens come in.
func Example_rotation() {
	stytch, address, end := local()
	defer end()
	verifier, err := verify.New("project-test-1", verify.WithBaseURL(address))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer verifier.Close()
	old := token(stytch, nil)
	_, err = verifier.Verify(context.Background(), old)
	fmt.Println("old key:", err)
	stytch.RotateSigningKey()
	_, err = verifier.Verify(context.Background(), token(stytch, nil))
	fmt.Println("new key:", err)
	_, err = verifier.Verify(context.Background(), old)
	fmt.Println("old key:", err)
	fmt.Println(len(stytch.Requests()), "fetches")
	// Output:
	// old key: <nil>
	// new key: <nil>
	// old key: <nil>
	// 2 fetches
}

func ExampleWithConnectedApps() {
	stytch, address, end := local()
	defer end()
	verifier, err := verify.New("project-test-1", verify.WithBaseURL(address), verify.WithConnectedApps(), verify.WithAudiences("https://mcp.example.com"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer verifier.Close()
	claims, err := verifier.Verify(context.Background(), token(stytch, map[string]any{
		"sub": "user-test-1", "client_id": "connected-app-test-1", "aud": []string{"project-test-1", "https://mcp.example.com"},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(claims.Subject, "by", claims.ClientID)
	// Output:
	// user-test-1 by connected-app-test-1
}

func ExampleWithActiveCheck() {
	stytch, address, end := local()
	defer end()
	verifier, err := verify.New("project-test-1", verify.WithBaseURL(address),
		verify.WithActiveCheck(func(_ context.Context, clientID string) (bool, error) {
			return clientID != "m2m-client-test-1", nil // in production: get the client and look at its status
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer verifier.Close()
	_, err = verifier.Verify(context.Background(), token(stytch, nil))
	fmt.Println(err)
	// Output:
	// verify: client not active: it was deactivated or deleted
}
