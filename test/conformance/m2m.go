package conformance

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

func (s *suite) m2mClients(t reporter) {
	t.Run("create", s.m2mCreate)
	t.Run("import", s.m2mImport)
	t.Run("update", s.m2mUpdate)
	t.Run("metadata", s.m2mMetadata)
	t.Run("status", s.m2mStatus)
	t.Run("delete", s.m2mDelete)
	t.Run("unknown", s.m2mUnknown)
}

var m2mID = regexp.MustCompile(`^m2m-client-(test|live)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (s *suite) m2mCreate(t reporter) {
	var response stytch.Response
	created, err := s.tryM2M(t, stytch.WithResponse(t.Context(), &response), stytch.M2MCreate{
		ClientDescription: "Charges cards at night: äöü, 日本語, 👩‍👩‍👧", Scopes: []string{"write:conformance", "read:conformance"},
		TrustedMetadata: object(t, map[string]any{"team": "billing", "tier": 2, "nested": map[string]any{"on": true, "list": []any{1, nil}}}),
	})
	must(t, err, "create")
	if !m2mID.MatchString(created.ClientID) || created.Status != stytch.Active {
		t.Errorf("created %s; want an id of Stytch's form, and the status active", show(created))
	}
	if created.ClientDescription != "Charges cards at night: äöü, 日本語, 👩‍👩‍👧" || !slices.Equal(created.Scopes, []string{"write:conformance", "read:conformance"}) ||
		!created.TrustedMetadata.Equal(object(t, map[string]any{"team": "billing", "tier": 2, "nested": map[string]any{"on": true, "list": []any{1, nil}}})) {
		t.Errorf("created %s, which is not what was sent", show(created))
	}
	s.checkM2M(t, created.ClientID, as[stytch.M2MClient](t, created))
	checkLastFour(t, created.ClientSecretLastFour, created.ClientSecret)
	s.assumed(t, "creation returns 200", response.StatusCode == 200, response.StatusCode)
	s.assumed(t, "a secret that Stytch makes has 48 characters", len(created.ClientSecret.Reveal()) == 48, len(created.ClientSecret.Reveal()))

	bare := s.newM2M(t, stytch.M2MCreate{Scopes: []string{"read:conformance"}})
	if bare.ClientID == created.ClientID || bare.ClientSecret.Equal(created.ClientSecret) {
		t.Error("two clients share an id or a secret")
	}
	s.assumed(t, "a description that was never set is empty", bare.ClientDescription == "", show(bare))
	s.assumed(t, "metadata that was never set is {}", bare.TrustedMetadata.Equal(stytch.Metadata("{}")), show(bare))
	big := s.newM2M(t, stytch.M2MCreate{TrustedMetadata: stytch.Metadata(`{"big":9007199254740993,"fraction":1.50}`)})
	s.assumed(t, "metadata keeps every digit of a number", big.TrustedMetadata.Equal(stytch.Metadata(`{"big":9007199254740993,"fraction":1.50}`)), show(big))
}

func (s *suite) m2mImport(t reporter) {
	chosen, id := secret.Generate(), s.name()
	request := stytch.M2MCreate{ClientID: id, ClientSecret: secret.Outgoing(chosen), Scopes: []string{"read:conformance"}}
	created := s.newM2M(t, request)
	if created.ClientID != id || !created.ClientSecret.Equal(chosen) {
		t.Errorf("created %s; want the id %s and the secret that was sent", show(created), id)
	}
	checkLastFour(t, created.ClientSecretLastFour, chosen)
	s.checkM2M(t, id, as[stytch.M2MClient](t, created))
	s.checkSecret(t, id, chosen, true)

	request.ClientSecret = secret.Outgoing(secret.Generate())
	_, err := s.tryM2M(t, t.Context(), request)
	if !refused(err) && !errors.Is(err, stytch.ErrAlreadyExists) {
		t.Errorf("create with an id that is taken: %v; want a refusal", err)
	}
	s.assumed(t, "an id that is taken is refused as such", errors.Is(err, stytch.ErrAlreadyExists), err)
	s.checkSecret(t, id, chosen, true)
	s.checkSecret(t, id, secret.String(request.ClientSecret), false)
}

func (s *suite) m2mUpdate(t reporter) {
	created := s.newM2M(t, stytch.M2MCreate{ClientDescription: "first", TrustedMetadata: stytch.Metadata(`{"team":"billing"}`)})
	want := as[stytch.M2MClient](t, created)
	renamed := s.name()
	for _, step := range []struct {
		name   string
		update stytch.M2MUpdate
		change func(*stytch.M2MClient)
	}{
		{"nothing", stytch.M2MUpdate{}, func(*stytch.M2MClient) {}},
		{"name", stytch.M2MUpdate{ClientName: stytch.Set(renamed)}, func(c *stytch.M2MClient) { c.ClientName = renamed }},
		{"description", stytch.M2MUpdate{ClientDescription: stytch.Set("second")}, func(c *stytch.M2MClient) { c.ClientDescription = "second" }},
		{"empty description", stytch.M2MUpdate{ClientDescription: stytch.Set("")}, func(c *stytch.M2MClient) { c.ClientDescription = "" }},
		{"scopes", stytch.M2MUpdate{Scopes: stytch.List("admin:conformance", "read:conformance")}, func(c *stytch.M2MClient) { c.Scopes = []string{"admin:conformance", "read:conformance"} }},
		{"status", stytch.M2MUpdate{Status: stytch.Set(stytch.Inactive)}, func(c *stytch.M2MClient) { c.Status = stytch.Inactive }},
		{"metadata", stytch.M2MUpdate{TrustedMetadata: stytch.Set(stytch.Metadata(`{"tier":1}`))}, func(c *stytch.M2MClient) { c.TrustedMetadata = stytch.Metadata(`{"team":"billing","tier":1}`) }},
		{"several", stytch.M2MUpdate{ClientDescription: stytch.Set("third"), Status: stytch.Set(stytch.Active)}, func(c *stytch.M2MClient) { c.ClientDescription, c.Status = "third", stytch.Active }},
	} {
		step.change(&want)
		updated, err := s.api.M2M.Update(t.Context(), created.ClientID, step.update)
		must(t, err, "update "+step.name)
		compareM2M(t, "the response to the update of "+step.name, *updated, want)
		s.checkM2M(t, created.ClientID, want)
	}

	null, err := s.api.M2M.Update(t.Context(), created.ClientID, stytch.M2MUpdate{ClientDescription: stytch.Clear[string]()})
	s.assumed(t, "null empties a description", err == nil && null.ClientDescription == "", err)
	none, err := s.api.M2M.Update(t.Context(), created.ClientID, stytch.M2MUpdate{Scopes: stytch.List[string]()})
	s.assumed(t, "a client may have no scopes", err == nil && len(none.Scopes) == 0, err)
}

// m2mMetadata checks the merge, which is documented for the top level.
func (s *suite) m2mMetadata(t reporter) {
	created := s.newM2M(t, stytch.M2MCreate{TrustedMetadata: stytch.Metadata(`{"gone":1,"kept":"k","deep":{"x":1,"y":2}}`)})
	for _, step := range []struct{ change, want string }{
		{`{}`, `{"gone":1,"kept":"k","deep":{"x":1,"y":2}}`},
		{`{"gone":null,"deep":{"x":3},"new":[1,"two"]}`, `{"kept":"k","deep":{"x":3},"new":[1,"two"]}`},
		{`{"never":null,"kept":""}`, `{"kept":"","deep":{"x":3},"new":[1,"two"]}`},
		{`{"kept":null,"deep":null,"new":null}`, `{}`},
	} {
		updated, err := s.api.M2M.Update(t.Context(), created.ClientID, stytch.M2MUpdate{TrustedMetadata: stytch.Set(stytch.Metadata(step.change))})
		must(t, err, "merge "+step.change)
		if !updated.TrustedMetadata.Equal(stytch.Metadata(step.want)) {
			t.Errorf("merging %s gives %s, want %s", step.change, updated.TrustedMetadata, step.want)
		}
	}

	many := map[string]any{}
	for i := range 20 {
		many[fmt.Sprintf("key%d", i)] = i
	}
	full, err := s.api.M2M.Update(t.Context(), created.ClientID, stytch.M2MUpdate{TrustedMetadata: stytch.Set(object(t, many))})
	must(t, err, "set 20 keys")
	for what, change := range map[string]string{"21 keys": `{"one":"more"}`, "more than 4 KB": `{"key0":"` + strings.Repeat("x", 4096) + `"}`} {
		if _, err := s.api.M2M.Update(t.Context(), created.ClientID, stytch.M2MUpdate{TrustedMetadata: stytch.Set(stytch.Metadata(change))}); !refused(err) {
			t.Errorf("metadata of %s: %v; want a refusal", what, err)
		}
	}
	s.checkM2M(t, created.ClientID, *full)
}

func (s *suite) m2mStatus(t reporter) {
	created := s.newM2M(t, stytch.M2MCreate{})
	s.checkSecret(t, created.ClientID, created.ClientSecret, true)
	for _, status := range []stytch.M2MClientStatus{stytch.Inactive, stytch.Active} {
		_, err := s.api.M2M.Update(t.Context(), created.ClientID, stytch.M2MUpdate{Status: stytch.Set(status)})
		must(t, err, "set the status")
		s.checkSecret(t, created.ClientID, created.ClientSecret, status == stytch.Active)
	}
}

func (s *suite) m2mDelete(t reporter) {
	created := s.newM2M(t, stytch.M2MCreate{})
	must(t, s.api.M2M.Delete(t.Context(), created.ClientID), "delete")
	if _, err := s.api.M2M.Get(t.Context(), created.ClientID); !errors.Is(err, stytch.ErrNotFound) {
		t.Errorf("get after delete: %v; want ErrNotFound", err)
	}
	if err := s.api.M2M.Delete(t.Context(), created.ClientID); !errors.Is(err, stytch.ErrNotFound) {
		t.Errorf("delete after delete: %v; want ErrNotFound", err)
	}
	s.checkSecret(t, created.ClientID, created.ClientSecret, false)
}

func (s *suite) m2mUnknown(t reporter) {
	id := s.unknownID("m2m-client")
	_, got := s.api.M2M.Get(t.Context(), id)
	_, updated := s.api.M2M.Update(t.Context(), id, stytch.M2MUpdate{ClientDescription: stytch.Set("x")})
	checkUnknown(t, map[string]error{"Get": got, "Update": updated, "Delete": s.api.M2M.Delete(t.Context(), id)})
	s.unknownSecrets(t, s.api.M2M.Secrets, id)
}

// checkUnknown wants the documented error with all that identifies it.
func checkUnknown(t reporter, errs map[string]error) {
	t.Helper()
	for method, err := range errs {
		var e *stytch.Error
		if !errors.Is(err, stytch.ErrNotFound) || !errors.As(err, &e) || e.StatusCode != 404 || e.RequestID == "" || e.Message == "" || e.URL == "" {
			t.Errorf("%s of an unknown id: %v; want ErrNotFound with all that Stytch says", method, err)
		}
	}
}

// checkM2M reads a client.
func (s *suite) checkM2M(t reporter, id string, want stytch.M2MClient) {
	t.Helper()
	got, err := s.api.M2M.Get(t.Context(), id)
	must(t, err, "get")
	compareM2M(t, "the client", *got, want)
}

func compareM2M(t reporter, what string, got, want stytch.M2MClient) {
	t.Helper()
	if got.TrustedMetadata.Equal(want.TrustedMetadata) {
		got.TrustedMetadata = want.TrustedMetadata // the order of its keys means nothing
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %s, want %s", what, show(got), show(want))
	}
}

func checkLastFour(t reporter, got string, of secret.String) {
	t.Helper()
	if plain := of.Reveal(); len(got) != 4 || !strings.HasSuffix(plain, got) {
		t.Errorf("the last four characters do not belong to the secret of %d characters", len(plain))
	}
}

func object(t reporter, v any) stytch.Metadata {
	t.Helper()
	o, err := stytch.NewMetadata(v)
	must(t, err, "encode metadata")
	return o
}
