package emulator_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// Many callers do everything at once, and nothing gets lost. Run it with the race detector.
func TestEverythingAtOnce(t *testing.T) {
	const callers, rounds = 8, 12
	w := start(t, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "shared", Secret: "Correct-Horse-9", Scopes: []string{"a"}}))
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			w := &harness{w.Server, t}
			for round := range rounds {
				id, secret := w.create(`{"scopes":["a"]}`)
				next := w.startRotation(id)
				if !w.works(id, secret) || !w.works(id, next) {
					t.Error("a secret does not work")
				}
				w.ok("POST", clients+"/"+id+"/secrets/rotate", "")
				w.ok("PUT", clients+"/shared", fmt.Sprintf(`{"trusted_metadata":{"caller-%d":%d}}`, caller, round))
				w.call("POST", clients+"/shared/secrets/rotate/start", "")
				w.call("POST", clients+"/shared/secrets/rotate/cancel", "")
				w.search(`{"limit":5,"query":{"operator":"AND","operands":[{"filter_name":"scopes","filter_value":["a"]}]}}`)
				w.ok("POST", apps, `{"client_type":"first_party_public"}`)
				w.ok("DELETE", clients+"/"+id, "")
				remove := w.Inject(emulator.Status("GetB2BJWKS", 503).Times(1))
				if _, err := w.Sign(map[string]any{"caller": caller}); err != nil {
					t.Error(err)
				}
				if caller == 0 && round == 0 {
					w.RotateSigningKey()
				}
				w.expect(http.StatusOK, "", "GET", "/v1/sessions/jwks/"+w.ProjectID, "")
				remove()
				w.Requests()
			}
		})
	}
	all.Wait()
	if ids, _, total := w.search("{}"); total != 1 || ids[0] != "shared" {
		t.Errorf("%d clients are left", total)
	}
	if got := w.TokensMinted(""); got != callers*rounds*2 {
		t.Errorf("%d tokens, want %d", got, callers*rounds*2)
	}
	for caller := range callers {
		want := float64(rounds - 1)
		if got := at(w.ok("GET", clients+"/shared", ""), "m2m_client", "trusted_metadata", fmt.Sprint("caller-", caller)); got != want {
			t.Errorf("an update is lost: %v", got)
		}
	}
	if total := at(w.ok("POST", apps+"/search", "{}"), "results_metadata", "total"); total != float64(callers*rounds) {
		t.Errorf("%v apps", total)
	}
}
