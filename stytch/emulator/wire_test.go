package emulator

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/gen/server"
	"github.com/stytchkit/m2m/internal/contract"
)

// The types of wire.go exist because the generated ones omit null. Otherwise they must be equal: a
// field that the contract gains is missing here until the emulator serves it.
func TestWireHasTheFieldsOfTheContract(t *testing.T) {
	for _, tt := range []struct {
		wire   any
		models []any // together
		sorted bool
	}{
		{m2mClientWire{}, []any{server.M2MClientWithClientSecret{}, server.M2MClientWithNextClientSecret{}, server.M2MClient{}}, true},
		{connectedAppWire{}, []any{server.ConnectedAppWithClientSecret{}, server.ConnectedAppWithNextClientSecret{}, server.ConnectedApp{}}, true},
		{m2mClientResponse{}, []any{server.CreateM2MClientResponse{}, server.GetM2MClientResponse{}, server.UpdateM2MClientResponse{}}, true},
		{connectedAppResponse{}, []any{server.CreateConnectedAppResponse{}, server.GetConnectedAppResponse{}, server.UpdateConnectedAppResponse{}}, true},
		{deleteResponse{}, []any{server.DeleteM2MClientResponse{}, server.DeleteConnectedAppResponse{}}, true},
		{resultsWire{}, []any{server.ResultsMetadata{}}, true},
		{m2mPageResponse{}, []any{server.SearchM2MClientsResponse{}}, true},
		{connectedAppPageResponse{}, []any{server.SearchConnectedAppsResponse{}}, true},
		{tokenResponse{}, []any{server.IssueM2MTokenResponse{}}, true},
		{jwkWire{}, []any{server.JWK{}}, true},
		{keySetResponse{}, []any{server.JWKSResponse{}}, true},
		{revokeResponse{}, []any{server.RevokeTokenResponse{}}, true},
		{registerResponse{}, []any{server.RegisterConnectedAppResponse{}}, true},
		{openIDResponse{}, []any{server.OpenIDConfigurationResponse{}}, true},
		{serverMetadataResponse{}, []any{server.AuthorizationServerMetadataResponse{}}, true},
		{oauthErrorWire{}, []any{server.OAuth2Error{}}, false},
	} {
		got := names(tt.wire)
		if tt.sorted && !slices.IsSorted(got) {
			t.Errorf("%T is not sorted: %v", tt.wire, got)
		}
		var want []string
		for _, model := range tt.models {
			want = append(want, names(model)...)
		}
		slices.Sort(got)
		slices.Sort(want)
		if want = slices.Compact(want); !slices.Equal(got, want) {
			t.Errorf("%T has the fields\n%v, the contract\n%v", tt.wire, got, want)
		}
	}
}

func names(v any) (all []string) {
	t := reflect.TypeOf(v)
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		all = append(all, name)
	}
	return all
}

// Every error type has the status that the contract lists for it.
func TestFailuresAgreeWithTheContract(t *testing.T) {
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	catalog, _ := doc.Extensions["x-error-catalog"].(map[string]any)
	if len(catalog) < 50 {
		t.Fatalf("a catalog of %d errors", len(catalog))
	}
	outside := []string{"route_not_found", "method_not_allowed"} // of no operation
	for kind, known := range failures {
		entry, listed := catalog[kind].(map[string]any)
		if !listed {
			if !slices.Contains(outside, kind) {
				t.Errorf("%s is not in the contract", kind)
			}
			continue
		}
		if status, ok := entry["status"].(float64); !ok || int(status) != known.status {
			t.Errorf("%s has the status %d, in the contract %v", kind, known.status, entry["status"])
		}
	}
}

func TestLastFour(t *testing.T) {
	for secret, want := range map[string]string{"abcdefgh": "efgh", "äöüßéèêë": "éèêë", "ab": "ab", "": "", "x😀y😀z😀": "y😀z😀"} {
		if got := lastFour(secret); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Secrets are stored as salted hashes.
func TestSecretsAreStoredHashed(t *testing.T) {
	a, b := newClientSecret("Correct-Horse-9", importedIterations), newClientSecret("Correct-Horse-9", importedIterations)
	if a.sum == b.sum || a.salt == b.salt {
		t.Error("two hashes of one secret are the same")
	}
	for _, s := range []*clientSecret{a, b, newClientSecret("Correct-Horse-9", 0)} {
		if !s.matches("Correct-Horse-9") || s.matches("Correct-Horse-8") || s.matches("") {
			t.Error("the hash does not distinguish secrets")
		}
	}
	if (*clientSecret)(nil).matches("") {
		t.Error("a nil secret matches")
	}
}

func TestTableCompacts(t *testing.T) {
	table := newTable[int]("m2m_client_not_found", "a client", kindClient, nil)
	for i := range 5000 {
		if err := table.insert(nil, strings.Repeat("x", i+1), &i, 0, "", ""); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4900 {
		if err := table.remove(nil, strings.Repeat("x", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	if len(table.rows) > 2500 {
		t.Errorf("%d rows for 100 records", len(table.rows))
	}
	if p := table.page(0, 1000, nil, true); len(p.records) != 100 || p.total != 100 || p.more || *p.records[0] != 4900 {
		t.Errorf("a page of %d, total %d", len(p.records), p.total)
	}
}
