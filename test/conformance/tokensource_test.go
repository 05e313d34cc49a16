package conformance

import (
	"net/http"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/contract"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

// The requests of a token source follow the contract, and so does every response that it accepts.
func TestTokenSource(t *testing.T) {
	held := secret.Generate()
	server := emulatortest.NewServer(t, emulator.WithStrict(), emulator.WithM2MClient(emulator.M2MClientSeed{
		ClientID: "worker", Secret: held.Reveal(), Scopes: []string{"read:users"},
	}))
	transport, err := contract.NewTransport(server.Client().Transport)
	if err != nil {
		t.Fatal(err)
	}
	source, err := token.New(server.ProjectID, token.Static("worker", held), token.WithBaseURL(server.URL),
		token.WithHTTPClient(&http.Client{Transport: transport}), token.WithScopes("read:users"),
		token.WithParameters(map[string]string{"tenant": "a b&c=d"}))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	got, err := source.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if life := time.Until(got.Expiry); life < 59*time.Minute || life > time.Hour || len(got.Scopes) != 1 || got.Scopes[0] != "read:users" {
		t.Errorf("a token for %v with the scopes %q", life, got.Scopes)
	}
	if v := transport.Violations(); len(v) != 0 || transport.Exercised()["IssueM2MToken"] != 1 {
		t.Errorf("%v, %v", v, transport.Exercised())
	}
}
