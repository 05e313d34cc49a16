package verify_test

import (
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
