package token_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

// worker is a local Stytch with one client.
func worker(options ...emulator.Option) *emulator.Server {
	local, err := emulator.Start(append(options, emulator.WithM2MClient(emulator.M2MClientSeed{
		ClientID: "worker", Secret: "Correct-Horse-9", Scopes: []string{"read:users", "write:users"},
	}))...)
	if err != nil {
		panic(err)
	}
	return local
}

func Example() {
	local := worker() // a local Stytch; leave WithBaseURL out to use the real one
	defer local.Close()

	source, err := token.New(local.ProjectID, token.Static("worker", secret.New("Correct-Horse-9")),
		token.WithBaseURL(local.URL),
		token.WithScopes("read:users"))
	if err != nil {
		panic(err)
	}
	defer source.Close()

	for range 3 {
		t, err := source.Token(context.Background())
		if err != nil {
			panic(err)
		}
		fmt.Println(t.Value, t.Scopes, time.Until(t.Expiry) > 59*time.Minute)
	}
	fmt.Println("billed:", source.Stats().Minted)
	// Output:
	// [REDACTED] [read:users] true
	// [REDACTED] [read:users] true
	// [REDACTED] [read:users] true
	// billed: 1
}

func ExampleSource_Transport() {
	local := worker()
	defer local.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		fmt.Println(r.URL.Path, "with", scheme)
	}))
	defer api.Close()

	source, err := token.New(local.ProjectID, token.Static("worker", secret.New("Correct-Horse-9")), token.WithBaseURL(local.URL))
	if err != nil {
		panic(err)
	}
	defer source.Close()

	host := strings.TrimPrefix(api.URL, "http://") // the token goes there and nowhere else
	client := &http.Client{Transport: source.Transport(nil, host)}
	resp, err := client.Get(api.URL + "/users")
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode)
	// Output:
	// /users with Bearer
	// 200
}

// A callback gives both secrets while they are being rotated. The source finds out which one works.
func ExampleFunc() {
	local := worker()
	defer local.Close()

	fromVault := func(context.Context) (token.Credential, error) {
		return token.Credential{ClientID: "worker", Secret: secret.New("not-yet-in-use"), Next: secret.New("Correct-Horse-9")}, nil
	}
	source, err := token.New(local.ProjectID, token.Func(fromVault), token.WithBaseURL(local.URL))
	if err != nil {
		panic(err)
	}
	defer source.Close()

	_, err = source.Token(context.Background())
	fmt.Println(err, source.Stats().Requests)
	// Output: <nil> 2
}

func ExampleWithObserver() {
	local := worker(emulator.WithFaults(emulator.Status("IssueM2MToken", 503).Times(1)))
	defer local.Close()

	failed := make(chan token.Event, 1)
	source, err := token.New(local.ProjectID, token.Static("worker", secret.New("Correct-Horse-9")), token.WithBaseURL(local.URL),
		token.WithObserver(func(_ context.Context, e token.Event) {
			if e.Kind == token.RefreshFailed {
				failed <- e
			}
		}))
	if err != nil {
		panic(err)
	}
	defer source.Close()

	_, _ = source.Token(context.Background())
	e := <-failed
	fmt.Println(e.Kind, time.Until(e.RetryAt) < 2*time.Second)
	// Output: refresh failed true
}

// Each combination of scopes and template parameters has a token of its own.
func ExampleSource_TokenFor() {
	local := worker()
	defer local.Close()
	source, err := token.New(local.ProjectID, token.Static("worker", secret.New("Correct-Horse-9")), token.WithBaseURL(local.URL))
	if err != nil {
		panic(err)
	}
	defer source.Close()

	for _, scopes := range [][]string{{"read:users"}, {"write:users"}, {"read:users"}, nil} {
		t, err := source.TokenFor(context.Background(), token.Request{Scopes: scopes})
		if err != nil {
			panic(err)
		}
		fmt.Println(t.Scopes)
	}
	fmt.Println("billed:", source.Stats().Minted)
	// Output:
	// [read:users]
	// [write:users]
	// [read:users]
	// [read:users write:users]
	// billed: 3
}

// A file that a rotation replaces is read before each token request, so the service needs no
// restart.
func ExampleFile() {
	local := worker()
	defer local.Close()
	dir, err := os.MkdirTemp("", "token")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "credentials.json")
	if err := os.WriteFile(path, []byte(`{"client_id": "worker", "client_secret": "Correct-Horse-9"}`), 0o600); err != nil {
		panic(err)
	}

	source, err := token.New(local.ProjectID, token.File(path), token.WithBaseURL(local.URL))
	if err != nil {
		panic(err)
	}
	defer source.Close()
	t, err := source.Token(context.Background())
	fmt.Println(t.Scopes, err)
	// Output: [read:users write:users] <nil>
}

// A limit on what a faulty loop can cost.
func ExampleWithBudget() {
	local := worker()
	defer local.Close()
	source, err := token.New(local.ProjectID, token.Static("worker", secret.New("Correct-Horse-9")), token.WithBaseURL(local.URL),
		token.WithBudget(2, func(used, perHour int) { fmt.Println("alarm:", used, "of", perHour) }))
	if err != nil {
		panic(err)
	}
	defer source.Close()

	for range 3 {
		t, err := source.Token(context.Background())
		fmt.Println("refused:", errors.Is(err, token.ErrBudget))
		source.Invalidate(t) // the fault: it throws away a good token each time
	}
	fmt.Println("billed:", local.TokensMinted("worker"))
	// Output:
	// refused: false
	// alarm: 2 of 2
	// refused: false
	// alarm: 2 of 2
	// refused: true
	// billed: 2
}
