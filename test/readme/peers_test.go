package readme_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

func config(local *emulator.Server) *clientcredentials.Config {
	return &clientcredentials.Config{
		ClientID: "worker", ClientSecret: workerSecret, TokenURL: local.URL + "/v1/public/" + local.ProjectID + "/oauth2/token",
	}
}

// parse verifies a token as the example of the page does.
func parse(t *testing.T, local *emulator.Server, raw string) (scopes []string, err error) {
	t.Helper()
	keys, err := keyfunc.NewDefaultCtx(t.Context(), []string{local.URL + "/v1/sessions/jwks/" + local.ProjectID})
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		jwt.RegisteredClaims
		Scope string `json:"scope"`
	}
	_, err = jwt.ParseWithClaims(raw, &claims, keys.Keyfunc, jwt.WithValidMethods([]string{"RS256"}),
		jwt.WithIssuer("stytch.com/"+local.ProjectID), jwt.WithAudience(local.ProjectID), jwt.WithLeeway(30*time.Second))
	return strings.Fields(claims.Scope), err
}

// TestPeerBehavior shows both columns of the table about x/oauth2 and golang-jwt.
func TestPeerBehavior(t *testing.T) {
	rows(t, "behavior: oauth2", map[string]func(*testing.T){
		"a second `Client` of the same `Config`": func(t *testing.T) {
			api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			defer api.Close()
			local := emulatortest.NewServer(t, worker)
			before, after := config(local), source(t, local)
			for range 2 {
				get(t, before.Client(t.Context()), api.URL)
			}
			if n := local.TokensMinted("worker"); n != 2 {
				t.Errorf("before: %d tokens", n)
			}
			for range 2 {
				get(t, &http.Client{Transport: after.Transport(nil, api.Listener.Addr().String())}, api.URL)
			}
			if n := local.TokensMinted("worker"); n != 3 {
				t.Errorf("after: %d tokens", n-2)
			}
		},
		"a 503 of the token endpoint": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker, emulator.WithFaults(emulator.Status("IssueM2MToken", 503).Times(2)))
			if _, err := config(local).Token(t.Context()); err == nil {
				t.Error("before: no error")
			}
			if _, err := source(t, local).Token(t.Context()); err != nil {
				t.Error("after:", err)
			}
		},
		"renewal": func(t *testing.T) { synctest.Test(t, renewal) },
		"a redirect to another host": func(t *testing.T) {
			var got []string
			other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.Header.Get("Authorization")) }))
			defer other.Close()
			api := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
			defer api.Close()
			local := emulatortest.NewServer(t, worker)
			get(t, config(local).Client(t.Context()), api.URL)
			get(t, &http.Client{Transport: source(t, local).Transport(nil, api.Listener.Addr().String())}, api.URL)
			if len(got) != 2 || got[0] == "" || got[1] != "" {
				t.Errorf("before: %t, after: %t, want a token before only", got[0] != "", got[1] != "")
			}
		},
		"`%+v` of the configuration": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker)
			if text := fmt.Sprintf("%+v", *config(local)); !strings.Contains(text, workerSecret) {
				t.Errorf("before: %s", text)
			}
			if text := fmt.Sprintf("%+v %+v", source(t, local), token.Static("worker", secret.New(workerSecret))); strings.Contains(text, workerSecret) {
				t.Errorf("after: %s", text)
			}
		},
		"a rotation of the secret": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker)
			file := filepath.Join(t.TempDir(), "credentials.json")
			put := func(s secret.String) {
				if err := deliver.File(file).Deliver(t.Context(), rotate.Delivery{ClientID: "worker", Secret: s}); err != nil {
					t.Fatal(err)
				}
			}
			put(secret.New(workerSecret))
			before := config(local)
			after, err := token.New(local.ProjectID, token.File(file), token.WithBaseURL(local.URL))
			if err != nil {
				t.Fatal(err)
			}
			defer after.Close()
			api := client(t, local)
			next, err := api.M2M.Secrets.Start(t.Context(), "worker")
			if err != nil {
				t.Fatal(err)
			}
			put(next)
			if err := api.M2M.Secrets.Complete(t.Context(), "worker"); err != nil {
				t.Fatal(err)
			}
			if _, err := before.Token(t.Context()); err == nil {
				t.Error("before: no error")
			}
			if _, err := after.Token(t.Context()); err != nil {
				t.Error("after:", err)
			}
		},
		"a token without `exp`": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker)
			raw := forged(t, local, "exp", nil)
			if _, err := parse(t, local, raw); err != nil {
				t.Error("before:", err)
			}
			if _, err := verifier(t, local).Verify(t.Context(), raw); !errors.Is(err, verify.ErrMalformed) {
				t.Errorf("after: %v, want ErrMalformed", err)
			}
		},
		"a user's token of a Connected App": func(t *testing.T) {
			local := emulatortest.NewServer(t)
			raw := appToken(t, local.Emulator, "read:invoices")
			if _, err := parse(t, local, raw); err != nil {
				t.Error("before:", err)
			}
			if _, err := verifier(t, local).Verify(t.Context(), raw); !errors.Is(err, verify.ErrKind) {
				t.Errorf("after: %v, want ErrKind", err)
			}
		},
		"the key set cannot be fetched": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker, emulator.WithFaults(emulator.Status("GetJWKS", 503)))
			raw := forged(t, local, "jti", "1")
			if _, err := parse(t, local, raw); !errors.Is(err, jwt.ErrTokenUnverifiable) { // as for an unknown key or algorithm
				t.Error("before:", err)
			}
			if _, err := verifier(t, local).Verify(t.Context(), raw); !errors.Is(err, verify.ErrKeysUnavailable) {
				t.Errorf("after: %v, want ErrKeysUnavailable", err)
			}
		},
		"`read:*` granted, `read:invoices` required": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker)
			raw := forged(t, local, "scope", "read:*")
			if scopes, err := parse(t, local, raw); err != nil || slices.Contains(scopes, "read:invoices") {
				t.Error("before:", scopes, err)
			}
			if _, err := verifier(t, local).Verify(t.Context(), raw, verify.AllScopes("read:invoices")); err != nil {
				t.Error("after:", err)
			}
		},
	})
}

// renewal follows both caches through the life of a token. Before, the call after its end waits for
// the endpoint; after, no call does.
func renewal(t *testing.T) {
	local, err := emulator.New(worker, emulator.WithFaults(emulator.Latency("IssueM2MToken", 5*time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	projectID, _ := local.Credentials()
	inMemory := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		recorder := httptest.NewRecorder()
		local.ServeHTTP(recorder, r)
		return recorder.Result(), nil
	})}
	before := (&clientcredentials.Config{ClientID: "worker", ClientSecret: workerSecret, TokenURL: "http://local/v1/public/" + projectID + "/oauth2/token"}).
		TokenSource(context.WithValue(t.Context(), oauth2.HTTPClient, inMemory))
	after, err := token.New(projectID, token.Static("worker", secret.New(workerSecret)), token.WithHTTPClient(inMemory))
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	calls := map[string]func() error{
		"before": func() error { _, err := before.Token(); return err },
		"after":  func() error { _, err := after.Token(t.Context()); return err },
	}
	waited := map[string][]int{}
	for minute := range 65 {
		for name, call := range calls {
			start := time.Now()
			if err := call(); err != nil {
				t.Fatal(name, err)
			}
			if time.Since(start) > 0 {
				waited[name] = append(waited[name], minute)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
	}
	if got := fmt.Sprint(waited["before"], waited["after"]); got != "[0 60] [0]" {
		t.Errorf("calls waited in the minutes %s", got)
	}
}

func get(t *testing.T, c *http.Client, url string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}
