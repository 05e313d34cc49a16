package verify_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
	tokens "github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

// A client whose id was chosen when it was created calls an API that is protected without any
// option. An API that does not accept it, for a reason that no other token would change, costs no
// second token: each one is billed.
func TestCallAnAPI(t *testing.T) {
	for name, test := range map[string]struct {
		options []verify.Option
		status  int
		minted  int
	}{
		"own id":                 {nil, 200, 1},
		"own id, named":          {[]verify.Option{verify.WithClientIDs("billing")}, 200, 1},
		"client not accepted":    {[]verify.Option{verify.WithClientIDs("other")}, 401, 1},
		"kind not accepted":      {[]verify.Option{verify.WithConnectedApps()}, 401, 1},
		"audience not accepted":  {[]verify.Option{verify.WithAudiences("https://api.example.com")}, 401, 1},
		"lifetime not accepted":  {[]verify.Option{verify.WithMaxLifetime(1), verify.WithLeeway(0)}, 401, 1},
		"client not active here": {[]verify.Option{verify.WithActiveCheck(inactive)}, 401, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := emulatortest.NewServer(t, emulator.WithM2MClient(emulator.M2MClientSeed{
				ClientID: "billing", Secret: "Correct-Horse-9", Scopes: []string{"read:invoices"}}))
			api := httptest.NewServer(guardVerifier(t, s, test.options...).Require("read:invoices")(whoami))
			defer api.Close()
			source, err := tokens.New(s.ProjectID, tokens.Static("billing", secret.New("Correct-Horse-9")), tokens.WithBaseURL(s.URL))
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			caller := &http.Client{Transport: source.Transport(nil, api.Listener.Addr().String())}
			for range 3 {
				resp, err := caller.Get(api.URL)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode != test.status || (test.status == 200) != (string(body) == "billing") {
					t.Errorf("%d %s %s, want %d", resp.StatusCode, resp.Header.Get("WWW-Authenticate"), body, test.status)
				}
			}
			if n := s.TokensMinted("billing"); n != test.minted {
				t.Errorf("%d tokens were minted, want %d", n, test.minted)
			}
		})
	}
}

// onDomain serves an emulator as if it were behind HTTPS at any host.
type onDomain struct{ *emulator.Emulator }

func (d onDomain) RoundTrip(r *http.Request) (*http.Response, error) {
	served := r.Clone(r.Context())
	served.Host, served.TLS = r.URL.Host, &tls.ConnectionState{}
	recorder := httptest.NewRecorder()
	d.ServeHTTP(recorder, served)
	return recorder.Result(), nil
}

// A token that was requested on the domain of the project has that domain as its issuer.
func TestOnProjectDomain(t *testing.T) {
	const domain = "example.customers.stytch.dev"
	e, err := emulator.New(emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "billing", Secret: "Correct-Horse-9", Scopes: []string{"read:invoices"}}))
	if err != nil {
		t.Fatal(err)
	}
	projectID, _ := e.Credentials()
	client := &http.Client{Transport: onDomain{e}}
	source, err := tokens.New(projectID, tokens.Static("billing", secret.New("Correct-Horse-9")), tokens.WithProjectDomain(domain), tokens.WithHTTPClient(client))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	issued, err := source.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		option verify.Option
		want   error
	}{
		"the domain":     {verify.WithProjectDomain(domain), nil},
		"another domain": {verify.WithProjectDomain("other.customers.stytch.dev"), verify.ErrIssuer},
		"no domain":      {verify.WithProjectDomain(""), verify.ErrIssuer},
	} {
		v, err := verify.New(projectID, test.option, verify.WithHTTPClient(client))
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		claims, err := v.Verify(t.Context(), issued.Value.Reveal())
		if !errors.Is(err, test.want) || test.want == nil && (err != nil || claims.Issuer != "https://"+domain) {
			t.Errorf("%s: %q, %v", name, claims.Issuer, err)
		}
	}
}
