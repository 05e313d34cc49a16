package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/destination"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/reconcile"
	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// desired is a random manifest: JSON is YAML.
func desired(r *rand.Rand) []byte {
	texts := []string{"", "a", "b", "ü <&> \"quoted\"\n", "12", "null", "# no comment"}
	text := func() string { return texts[r.IntN(len(texts))] }
	some := func(all ...string) []string { return all[:r.IntN(len(all)+1)] }
	maybe := func(entry map[string]any, name string, value any) {
		if r.IntN(2) == 0 {
			entry[name] = value
		}
	}
	clients, apps := []any{}, []any{}
	for i := range r.IntN(6) {
		entry := map[string]any{"scopes": append(some("b", "c", "b"), "a")}
		if r.IntN(2) == 0 {
			entry["client_id"] = fmt.Sprintf("client-%d", i)
			maybe(entry, "client_name", fmt.Sprintf("name of %d", i))
		} else {
			entry["client_name"] = fmt.Sprintf("client %d", i)
		}
		maybe(entry, "client_description", text())
		maybe(entry, "status", []string{"active", "inactive"}[r.IntN(2)])
		maybe(entry, "trusted_metadata", map[string]any{
			[]string{"k", "l"}[r.IntN(2)]: []any{1.0, 1.5, json.Number("12345678901234567890"), nil, "x", []any{"y", map[string]any{"z": nil}}, false, map[string]any{}}[r.IntN(8)],
		})
		clients = append(clients, entry)
	}
	for i := range r.IntN(4) {
		entry := map[string]any{"client_name": fmt.Sprintf("app %d", i), "client_type": []string{"third_party", "first_party_public"}[i%2]}
		maybe(entry, "client_description", text())
		maybe(entry, "redirect_urls", some("https://a.example/cb", "https://b.example/cb"))
		maybe(entry, "access_token_expiry_minutes", 5+r.IntN(60))
		maybe(entry, "access_token_custom_audience", []string{"", "api"}[r.IntN(2)])
		apps = append(apps, entry)
	}
	r.Shuffle(len(clients), func(i, j int) { clients[i], clients[j] = clients[j], clients[i] })
	file := map[string]any{"m2m_clients": clients}
	maybe(file, "connected_apps", apps)
	data, err := json.Marshal(file)
	if err != nil {
		panic(err)
	}
	return data
}

// changing counts the requests that are no reads.
func changing(local *emulator.Emulator) (n int) {
	for _, request := range local.Requests() {
		if !strings.HasPrefix(request.Operation, "Search") && !strings.HasPrefix(request.Operation, "Get") {
			n++
		}
	}
	return n
}

// TestApplyTwice applies random desired states one after the other to a project: after each, a plan
// is empty, and applying again sends no request that changes something.
func TestApplyTwice(t *testing.T) {
	for seed := range uint64(heavy.CountLong(20, 100, 250)) {
		r := rand.New(rand.NewPCG(seed, 1))
		local := emulatortest.NewServer(t)
		api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		place, err := destination.Once("file:"+filepath.Join(dir, "{client_id}.json"), func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			text := desired(r)
			prune := r.IntN(2) == 0
			apply(t, api, text, prune, place)
			before := changing(local.Emulator)
			if steps := apply(t, api, text, prune, place); len(steps) > 0 || changing(local.Emulator) != before {
				t.Fatalf("seed %d: %s\nafter applying there is still: %+v", seed, text, steps)
			}
		}
		api.CloseIdleConnections()
		local.Close()
	}
}

func apply(t *testing.T, api *stytch.Client, text []byte, prune bool, place *destination.Place) []reconcile.Step {
	t.Helper()
	m, err := inventory.ReadManifest("random", text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	project := inventory.In(api)
	steps, err := reconcile.Plan(t.Context(), project, "random", m, prune)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	err = reconcile.Apply(context.Background(), project, steps, place, func(r reconcile.Result) {
		if !r.Done {
			t.Errorf("%+v", r)
		}
	})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return steps
}
