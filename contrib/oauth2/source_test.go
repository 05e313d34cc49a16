package oauth2_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	xoauth2 "golang.org/x/oauth2"

	"github.com/stytchkit/m2m/contrib/oauth2"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

var seed = emulator.M2MClientSeed{ClientID: "worker", Secret: "Correct-Horse-9", Scopes: []string{"read:users"}}

func newSource(t testing.TB, stytch *emulator.Server) *token.Source {
	t.Helper()
	source, err := token.New(stytch.ProjectID, token.Static(seed.ClientID, secret.New(seed.Secret)), token.WithBaseURL(stytch.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close() })
	return source
}

func TestTokenSource(t *testing.T) {
	stytch := emulatortest.NewServer(t, emulator.WithM2MClient(seed))
	source := newSource(t, stytch)
	adapted := oauth2.TokenSource(t.Context(), source)
	want, err := source.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		got, err := adapted.Token()
		if err != nil {
			t.Fatal(err)
		}
		if got.AccessToken != want.Value.Reveal() || !got.Expiry.Equal(want.Expiry) || got.Type() != "Bearer" || !got.Valid() {
			t.Error("another token than that of the source")
		}
		got.AccessToken, got.Expiry = "changed by its owner", time.Time{}
	}
	if n := stytch.TokensMinted(""); n != 1 {
		t.Errorf("%d tokens minted, want 1", n)
	}
}

func TestTransport(t *testing.T) {
	stytch := emulatortest.NewServer(t, emulator.WithM2MClient(seed))
	source := newSource(t, stytch)
	want, err := source.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+want.Value.Reveal() {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(api.Close)
	client := &http.Client{Transport: &xoauth2.Transport{Source: oauth2.TokenSource(t.Context(), source)}}
	resp, err := client.Get(api.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d, want 200", resp.StatusCode)
	}
}

func TestErrors(t *testing.T) {
	stytch := emulatortest.NewServer(t, emulator.WithM2MClient(seed), emulator.WithFaults(emulator.Latency("IssueM2MToken", time.Minute)))
	source := newSource(t, stytch)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := oauth2.TokenSource(ctx, source).Token(); !errors.Is(err, context.Canceled) || got != nil {
		t.Errorf("error %v, want that of the context and no token", err)
	}
	source.Close()
	if got, err := oauth2.TokenSource(t.Context(), source).Token(); !errors.Is(err, token.ErrClosed) || got != nil {
		t.Errorf("error %v, want that of the source and no token", err)
	}
}

func ExampleTokenSource() {
	stytch, err := emulator.Start(emulator.WithM2MClient(seed)) // the real one needs no WithBaseURL
	if err != nil {
		panic(err)
	}
	defer stytch.Close()
	source, err := token.New(stytch.ProjectID, token.Static(seed.ClientID, secret.New(seed.Secret)), token.WithBaseURL(stytch.URL))
	if err != nil {
		panic(err)
	}
	defer source.Close()

	adapted := oauth2.TokenSource(context.Background(), source)
	got, err := adapted.Token()
	if err != nil {
		panic(err)
	}
	fmt.Println(got.Type(), got.Valid(), stytch.TokensMinted(seed.ClientID))
	// Output: Bearer true 1
}

// Without a source or a context, a call fails and does not panic.
func TestNothingGiven(t *testing.T) {
	stytch := emulatortest.NewServer(t, emulator.WithM2MClient(seed))
	for name, source := range map[string]xoauth2.TokenSource{
		"source":      oauth2.TokenSource(t.Context(), nil),
		"zero source": oauth2.TokenSource(t.Context(), &token.Source{}),
		"context":     oauth2.TokenSource(nil, newSource(t, stytch)), //nolint:staticcheck // that is the test
	} {
		if got, err := source.Token(); !errors.Is(err, token.ErrInvalidArgument) || got != nil {
			t.Errorf("no %s: %v", name, err)
		}
	}
}
