package readme_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

const workerSecret = "Correct-Horse-9-Battery-Staple"

// worker is a client with a description, two scopes and a secret that tests may look for.
var worker = emulator.WithM2MClient(emulator.M2MClientSeed{
	ClientID: "worker", Secret: workerSecret, Description: "to be emptied", Scopes: []string{"read:invoices", "read:*"},
})

// rows runs one test for each row of a table of the page, and fails if a row has none.
func rows(t *testing.T, name string, shown map[string]func(*testing.T)) {
	t.Helper()
	left := maps.Clone(shown)
	for _, row := range table(t, name) {
		f, ok := shown[row[0]]
		if !ok {
			t.Errorf("nothing shows the row %q", row[0])
			continue
		}
		delete(left, row[0])
		t.Run(row[0], f)
	}
	for row := range left {
		t.Errorf("the page has no row %q", row)
	}
}

func client(t *testing.T, local *emulator.Server, options ...stytch.Option) *stytch.Client {
	t.Helper()
	api, err := stytch.New(local.ProjectID, local.Secret, append(options, stytch.WithBaseURL(local.URL), stytch.WithRetry(stytch.Retry{BaseDelay: 1}))...)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func verifier(t *testing.T, local *emulator.Server, options ...verify.Option) *verify.Verifier {
	t.Helper()
	v, err := verify.New(local.ProjectID, append(options, verify.WithBaseURL(local.URL))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v
}

func source(t *testing.T, local *emulator.Server, options ...token.Option) *token.Source {
	t.Helper()
	s, err := token.New(local.ProjectID, token.Static("worker", secret.New(workerSecret)), append(options, token.WithBaseURL(local.URL))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// refused verifies a token of the worker that differs in a claim, or lacks one whose value is nil.
func refused(t *testing.T, want error, name string, value any, checks ...verify.Check) {
	t.Helper()
	local := emulatortest.NewServer(t, worker)
	_, err := verifier(t, local).Verify(t.Context(), forged(t, local, name, value), checks...)
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func forged(t *testing.T, local *emulator.Server, name string, value any) string {
	t.Helper()
	claims, err := local.Claims("worker", "read:invoices", "read:*")
	if err != nil {
		t.Fatal(err)
	}
	if claims[name] = value; value == nil {
		delete(claims, name)
	}
	return sign(t, local.Emulator, claims)
}

// TestBehavior shows the right column of the table about stytch-go.
func TestBehavior(t *testing.T) {
	rows(t, "behavior: stytch-go", map[string]func(*testing.T){
		"construction": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker)
			client(t, local)
			source(t, local)
			verifier(t, local)
			if n := len(local.Requests()); n != 0 {
				t.Errorf("%d requests", n)
			}
		},
		"no response": func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				silent := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				})}
				api, err := stytch.New("project-test-1", "secret-test-1", stytch.WithHTTPClient(silent))
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				_, err = api.M2M.Create(t.Context(), stytch.M2MCreate{Scopes: []string{"a"}}) // one attempt
				if took := time.Since(start); err == nil || took != 10*time.Second {
					t.Errorf("an attempt ended after %v with %v", took, err)
				}
				start = time.Now()
				_, err = api.M2M.Get(t.Context(), "worker") // repeated
				if took := time.Since(start); err == nil || took > 31*time.Second {
					t.Errorf("the call ended after %v with %v", took, err)
				}
			})
		},
		"a 503 or a lost connection": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker, emulator.WithFaults(
				emulator.Status("GetM2MClient", 503).Times(1), emulator.DropResponse("UpdateM2MClient").Times(1),
				emulator.Reset("DeleteM2MClient").Times(1), emulator.DropResponse("CreateM2MClient").Times(1),
			))
			api := client(t, local)
			if _, err := api.M2M.Get(t.Context(), "worker"); err != nil {
				t.Error(err)
			}
			if _, err := api.M2M.Update(t.Context(), "worker", stytch.M2MUpdate{ClientName: stytch.Set("x")}); err != nil {
				t.Error(err)
			}
			if err := api.M2M.Delete(t.Context(), "worker"); err != nil {
				t.Error(err)
			}
			if _, err := api.M2M.Create(t.Context(), stytch.M2MCreate{Scopes: []string{"a"}}); !errors.Is(err, stytch.ErrOutcomeUnknown) {
				t.Errorf("error %v, want ErrOutcomeUnknown", err)
			}
		},
		"an update with `\"\"`, `false` or an empty list": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker)
			api := client(t, local)
			got, err := api.M2M.Update(t.Context(), "worker", stytch.M2MUpdate{ClientDescription: stytch.Set(""), Scopes: stytch.List[string]()})
			if err != nil || got.ClientDescription != "" || len(got.Scopes) != 0 {
				t.Errorf("%+v, %v", got, err)
			}
			created, err := api.ConnectedApps.Create(t.Context(), stytch.ConnectedAppCreate{ClientType: stytch.FirstParty, FullAccessAllowed: true})
			if err != nil || !created.FullAccessAllowed {
				t.Fatal(created, err)
			}
			app, err := api.ConnectedApps.Update(t.Context(), created.ClientID, stytch.ConnectedAppUpdate{FullAccessAllowed: stytch.Set(false)})
			if err != nil || app.FullAccessAllowed {
				t.Errorf("%+v, %v", app, err)
			}
		},
		"a page of a proxy instead of JSON": func(t *testing.T) {
			api := client(t, emulatortest.NewServer(t, worker, emulator.WithFaults(emulator.HTML("GetM2MClient", 502))))
			_, err := api.M2M.Get(t.Context(), "worker")
			var e *stytch.Error
			if !errors.As(err, &e) || e.StatusCode != 502 {
				t.Errorf("error %v, want the status", err)
			}
		},
		"a result beside an error": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker)
			api := client(t, local)
			if got, err := api.M2M.Get(t.Context(), "gone"); got != nil || !errors.Is(err, stytch.ErrNotFound) {
				t.Errorf("%v, %v, want nil and ErrNotFound", got, err)
			}
			damaged := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				resp, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					return nil, err
				}
				return replaced(resp, `"scopes":["a"]`, `"scopes":"a"`)
			})}
			created, err := client(t, local, stytch.WithHTTPClient(damaged)).M2M.Create(t.Context(), stytch.M2MCreate{Scopes: []string{"a"}})
			if err == nil || created == nil || created.ClientSecret.IsZero() {
				t.Errorf("%v, %v, want the secret and an error", created, err)
			}
		},
		"secrets in logs": func(t *testing.T) {
			api := client(t, emulatortest.NewServer(t))
			created, err := api.M2M.Create(t.Context(), stytch.M2MCreate{Scopes: []string{"a"}})
			if err != nil {
				t.Fatal(err)
			}
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
				if text := fmt.Sprintf(verb, *created); strings.Contains(text, created.ClientSecret.Reveal()) {
					t.Errorf("%s prints the secret", verb)
				}
			}
			if text := fmt.Sprintf("%+v", *created); !strings.Contains(text, secret.Placeholder) {
				t.Errorf("no %s in %s", secret.Placeholder, text)
			}
		},
		"three calls for a token": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker)
			s := source(t, local)
			for range 3 {
				if _, err := s.Token(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if n := local.TokensMinted("worker"); n != 1 {
				t.Errorf("%d tokens", n)
			}
		},
		"a token without `exp`": func(t *testing.T) { refused(t, verify.ErrMalformed, "exp", nil) },
		"introspection of a token that is not active": func(t *testing.T) {
			const app = "connected-app-test-22222222-2222-4222-8222-222222222222"
			local := emulatortest.NewServer(t, emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: app, ClientType: "third_party_public"}))
			active, err := client(t, local).OAuth.Introspect(t.Context(), stytch.TokenRequest{Token: secret.New("not.a.token"), ClientID: app})
			if active || err != nil {
				t.Error(active, err)
			}
		},
		"a user's token of a Connected App": func(t *testing.T) {
			local := emulatortest.NewServer(t)
			if _, err := verifier(t, local).Verify(t.Context(), appToken(t, local.Emulator, "read:invoices")); !errors.Is(err, verify.ErrKind) {
				t.Errorf("error %v, want ErrKind", err)
			}
		},
		"a maximum age, and a token without `iat`": func(t *testing.T) {
			refused(t, verify.ErrMalformed, "iat", nil, verify.MaxAge(time.Minute))
		},
		"clocks that differ": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker)
			now := time.Now()
			for ahead, want := range map[time.Duration]error{29 * time.Second: nil, 32 * time.Second: verify.ErrNotYetValid} {
				v := verifier(t, local, verify.WithClock(func() time.Time { return now.Add(-ahead) }))
				raw := forged(t, local, "iat", now.Unix())
				if _, err := v.Verify(t.Context(), raw); !errors.Is(err, want) {
					t.Errorf("%v ahead: error %v, want %v", ahead, err, want)
				}
			}
		},
		"`read:*` granted, `read` required": func(t *testing.T) {
			refused(t, verify.ErrScope, "scope", "read:*", verify.AllScopes("read"))
		},
		"error texts of refused tokens": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker)
			v := verifier(t, local)
			for name, value := range map[string]any{"scope": nil, "aud": []string{"hidden-value"}, "iss": "hidden-value", "exp": 1, "sub": "user-hidden-value"} {
				_, err := v.Verify(t.Context(), forged(t, local, name, value))
				if err == nil || strings.Contains(err.Error(), "hidden-value") || strings.Contains(err.Error(), "worker") {
					t.Errorf("%s: %v", name, err)
				}
			}
		},
		"a client that was deactivated": func(t *testing.T) {
			local := emulatortest.NewServer(t, worker)
			api := client(t, local)
			raw := forged(t, local, "scope", "read:invoices")
			if _, err := api.M2M.Update(t.Context(), "worker", stytch.M2MUpdate{Status: stytch.Set(stytch.Inactive)}); err != nil {
				t.Fatal(err)
			}
			if _, err := verifier(t, local).Verify(t.Context(), raw); err != nil {
				t.Error(err)
			}
			active := verify.WithActiveCheck(func(ctx context.Context, id string) (bool, error) {
				c, err := api.M2M.Get(ctx, id)
				return err == nil && c.Status == stytch.Active, err
			})
			if _, err := verifier(t, local, active).Verify(t.Context(), raw); !errors.Is(err, verify.ErrInactive) {
				t.Errorf("error %v, want ErrInactive", err)
			}
		},
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// replaced is a response with another part in its body.
func replaced(resp *http.Response, part, with string) (*http.Response, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(body), part) {
		return nil, fmt.Errorf("the body has no %s", part)
	}
	text := strings.Replace(string(body), part, with, 1)
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	return resp, nil
}
