package deliver_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
)

// TestNames: a place never calls the secret that is being replaced the next one. What an earlier
// version wrote is read, and written again under the names of today.
func TestNames(t *testing.T) {
	d := rotate.Delivery{ClientID: clientID, Secret: canary(), Previous: canary()}
	quote := func(text string) string { data, _ := json.Marshal(text); return string(data) }
	earlier := `{"client_id":"` + clientID + `","client_secret":` + quote(d.Secret.Reveal()) + `,"next_client_secret":` + quote(d.Previous.Reveal()) + `}`
	path := filepath.Join(t.TempDir(), "credentials.json")
	v, a := newVaultServer(t), newAPIServer(t)
	for name, p := range map[string]struct {
		place interface {
			rotate.Deliverer
			rotate.Reader
		}
		write func()
		text  func() string
	}{
		"File": {deliver.File(path), func() { put(t, path, earlier, 0o600) }, func() string { text, _ := os.ReadFile(path); return string(text) }},
		"Vault": {v.deliverer(t, nil), func() {
			v.write(vaultPath, func(data map[string]jsonRaw) {
				if err := json.Unmarshal([]byte(earlier), &data); err != nil {
					t.Error(err)
				}
			})
		}, func() string {
			latest, _ := v.latest(vaultPath)
			text, _ := json.Marshal(latest.data)
			return string(text)
		}},
		"Kubernetes": {a.deliverer(t, nil), func() {
			a.write(secretName, func(o map[string]any) { keys(o, deliver.DefaultKey, "\ufeff"+earlier) })
		}, func() string { return string(a.mounted(t, secretName, deliver.DefaultKey)) }},
	} {
		p.write()
		if held, err := p.place.Read(t.Context(), clientID); err != nil || !held.Secret.Equal(d.Secret) || !held.Previous.Equal(d.Previous) {
			t.Errorf("%s: something else is read, error %v", name, err)
		}
		give(t, p.place, d)
		if text := p.text(); strings.Contains(text, "next_client_secret") || !strings.Contains(text, `"previous_client_secret":`) || strings.HasPrefix(text, "\ufeff") {
			t.Errorf("%s: the names are still those of an earlier version", name)
		}
		if held, err := p.place.Read(t.Context(), clientID); err != nil || !held.Secret.Equal(d.Secret) || !held.Previous.Equal(d.Previous) {
			t.Errorf("%s: something else is read afterwards, error %v", name, err)
		}
	}
}
