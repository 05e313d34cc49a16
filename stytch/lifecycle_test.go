package stytch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
)

// dial makes a client of a listening emulator.
func dial(tb testing.TB, server *emulator.Server, options ...stytch.Option) *stytch.Client {
	tb.Helper()
	client, err := stytch.New(server.ProjectID, server.Secret, append([]stytch.Option{stytch.WithBaseURL(server.URL)}, options...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.CloseIdleConnections)
	return client
}

// lifeOfM2MClient does everything once that can be done with an M2M client. It returns what
// failed.
func lifeOfM2MClient(ctx context.Context, c *stytch.Client, name string) error {
	meta, err := stytch.NewMetadata(map[string]any{"plan": "free", "old": true, "big": json.Number("9007199254740993")})
	if err != nil {
		return err
	}
	made, err := c.M2M.Create(ctx, stytch.M2MCreate{ClientName: name, ClientDescription: "d", Scopes: []string{"read:users", "scope:" + name}, TrustedMetadata: meta})
	if err != nil {
		return err
	}
	if made.ClientID == "" || made.ClientSecret.IsZero() || made.ClientSecretLastFour != lastFourOf(made.ClientSecret) || made.Status != stytch.Active || !made.TrustedMetadata.Equal(meta) {
		return fmt.Errorf("created %+v", made)
	}
	for _, filter := range []stytch.M2MFilter{
		stytch.All(stytch.ClientIDIn(made.ClientID)), stytch.Any(stytch.ClientNameIn(name), stytch.HasScope("nobody's")),
		stytch.All(stytch.HasScope("scope:"+name, "nobody's"), stytch.ClientNameIn(name)),
	} {
		page, err := c.M2M.SearchPage(ctx, stytch.M2MSearch{Filter: filter, Limit: 2})
		if err != nil {
			return err
		}
		if len(page.Items) != 1 || page.Items[0].ClientID != made.ClientID || page.Total != 1 || page.Next != "" {
			return fmt.Errorf("%+v found %+v", filter, page)
		}
	}

	change, err := stytch.NewMetadata(map[string]any{"plan": "pro", "old": nil})
	if err != nil {
		return err
	}
	if _, err := c.M2M.Update(ctx, made.ClientID, stytch.M2MUpdate{
		ClientDescription: stytch.Set(""), Scopes: stytch.List[string](), Status: stytch.Set(stytch.Inactive), TrustedMetadata: stytch.Set(change),
	}); err != nil {
		return err
	}
	if _, err := c.M2M.Update(ctx, made.ClientID, stytch.M2MUpdate{TrustedMetadata: stytch.Set[stytch.Metadata](nil)}); err != nil {
		return err // merges nothing
	}
	got, err := c.M2M.Get(ctx, made.ClientID)
	if err != nil {
		return err
	}
	want := stytch.M2MClient{ClientID: made.ClientID, ClientName: name, Scopes: []string{}, Status: stytch.Inactive,
		ClientSecretLastFour: made.ClientSecretLastFour, TrustedMetadata: stytch.Metadata(`{"big":9007199254740993,"plan":"pro"}`)}
	if !reflect.DeepEqual(*got, want) {
		return fmt.Errorf("read %+v, want %+v", *got, want)
	}
	if err := rotate(ctx, c.M2M.Secrets, made.ClientID); err != nil {
		return err
	}
	if err := c.M2M.Delete(ctx, made.ClientID); err != nil {
		return err
	}
	if _, err := c.M2M.Get(ctx, made.ClientID); !errors.Is(err, stytch.ErrNotFound) {
		return fmt.Errorf("reading a deleted client: %w", err)
	}
	if err := c.M2M.Delete(ctx, made.ClientID); !errors.Is(err, stytch.ErrNotFound) {
		return fmt.Errorf("deleting a deleted client: %w", err)
	}
	return nil
}

func rotate(ctx context.Context, s *stytch.Secrets, id string) error {
	if _, err := s.Start(ctx, id); err != nil {
		return err
	}
	if err := s.Cancel(ctx, id); err != nil {
		return err
	}
	next, err := s.Start(ctx, id)
	if err != nil {
		return err
	}
	if err := s.Complete(ctx, id); err != nil {
		return err
	}
	if last, err := s.LastFour(ctx, id); err != nil || last.Current != lastFourOf(next) || last.Rotating() {
		return fmt.Errorf("after a rotation: %+v, %w", last, err)
	}
	return nil
}

// lifeOfConnectedApp does the same with a Connected App.
func lifeOfConnectedApp(ctx context.Context, c *stytch.Client, name string) error {
	made, err := c.ConnectedApps.Create(ctx, stytch.ConnectedAppCreate{
		ClientType: stytch.FirstParty, ClientName: name, ClientDescription: "d", RedirectURLs: []string{"https://example.com/a"},
		FullAccessAllowed: true, BypassConsentForOfflineAccess: true, AccessTokenExpiryMinutes: 5, LogoURL: "https://example.com/logo.png",
		IDTokenTemplateContent: `{"a":1}`,
	})
	if err != nil {
		return err
	}
	if made.ClientSecret.IsZero() || !made.FullAccessAllowed || made.AccessTokenExpiryMinutes != 5 || *made.ClientSecretLastFour != lastFourOf(made.ClientSecret) || *made.IDTokenTemplateContent != `{"a":1}` {
		return fmt.Errorf("created %+v", made)
	}
	found := 0
	for app, err := range c.ConnectedApps.Search(ctx, stytch.ConnectedAppSearch{Limit: 3, Prefetch: true}) {
		if err != nil {
			return err
		}
		if app.ClientID == made.ClientID && app.ClientName == name {
			found++
		}
	}
	if found != 1 {
		return fmt.Errorf("found %d times", found)
	}
	updated, err := c.ConnectedApps.Update(ctx, made.ClientID, stytch.ConnectedAppUpdate{
		ClientDescription: stytch.Set(""), FullAccessAllowed: stytch.Set(false), BypassConsentForOfflineAccess: stytch.Set(false),
		RedirectURLs: stytch.List[string](), PostLogoutRedirectURLs: stytch.List("https://example.com/out"),
	})
	if err != nil {
		return err
	}
	got, err := c.ConnectedApps.Get(ctx, made.ClientID)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(got, updated) || got.ClientDescription != "" || got.FullAccessAllowed || got.BypassConsentForOfflineAccess || len(got.RedirectURLs) != 0 ||
		!slices.Equal(got.PostLogoutRedirectURLs, []string{"https://example.com/out"}) || got.ClientName != name || got.AccessTokenExpiryMinutes != 5 {
		return fmt.Errorf("read %+v after %+v", got, updated)
	}
	if err := rotate(ctx, c.ConnectedApps.Secrets, made.ClientID); err != nil {
		return err
	}
	if err := c.ConnectedApps.Delete(ctx, made.ClientID); err != nil {
		return err
	}
	if _, err := c.ConnectedApps.Get(ctx, made.ClientID); !errors.Is(err, stytch.ErrNotFound) {
		return fmt.Errorf("reading a deleted app: %w", err)
	}
	return nil
}

// TestLives also proves that every operation that takes the project's credentials can be reached by
// a method of this package.
func TestLives(t *testing.T) {
	seen := map[string]bool{}
	client := dial(t, emulatortest.NewServer(t, emulator.WithStrict()), stytch.WithObserver(func(_ context.Context, a stytch.Attempt) { seen[a.Operation] = true }))
	if err := lifeOfM2MClient(t.Context(), client, "one"); err != nil {
		t.Error("M2M client:", err)
	}
	if err := lifeOfConnectedApp(t.Context(), client, "one"); err != nil {
		t.Error("Connected App:", err)
	}
	for _, op := range operation.All {
		if op.ProjectAuth && !seen[op.ID] {
			t.Errorf("%s is in the contract and was not called: wrap it in package stytch, and call the method in lifeOfM2MClient or lifeOfConnectedApp", op.ID)
		}
		delete(seen, op.ID)
	}
	if len(seen) > 0 {
		t.Errorf("called, and not in the contract: %v", slices.Collect(maps.Keys(seen)))
	}
}

// The package is right however Stytch does what its documentation is silent about.
func TestLivesUnderOtherBehavior(t *testing.T) {
	for name, b := range map[string]emulator.Behavior{
		"status 201 for create":    {CreateStatus: 201},
		"limit 0 is refused":       {ZeroLimit: emulator.Refuse},
		"limit 0 is an empty page": {ZeroLimit: emulator.Empty},
		"null is refused":          {NullOnUpdate: emulator.Refuse},
		"null is ignored":          {NullOnUpdate: emulator.Ignore},
		"next last four absent":    {NextSecretAbsent: true},
		"short secrets":            {SecretLength: 44},
		"start replaces":           {StartWhileRotating: emulator.Replace},
		"idle steps are ignored":   {FinishWhileIdle: emulator.Ignore},
		"another creation method":  {CreationMethod: "OF_TOMORROW"},
		"wrong methods are 404":    {WrongMethodStatus: 404},
	} {
		t.Run(name, func(t *testing.T) {
			client := dial(t, emulatortest.NewServer(t, emulator.WithBehavior(b)))
			if err := errors.Join(lifeOfM2MClient(t.Context(), client, "a"), lifeOfConnectedApp(t.Context(), client, "a")); err != nil {
				t.Error(err)
			}
		})
	}
	client := dial(t, emulatortest.NewServer(t, emulator.WithBehavior(emulator.Behavior{NullOnUpdate: emulator.Refuse, EmptyScopes: emulator.Refuse})))
	made, err := client.M2M.Create(t.Context(), stytch.M2MCreate{Scopes: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []stytch.M2MUpdate{{ClientName: stytch.Clear[string]()}, {Scopes: stytch.List[string]()}} {
		if _, err := client.M2M.Update(t.Context(), made.ClientID, u); !errors.Is(err, stytch.ErrInvalidRequest) {
			t.Errorf("update %+v: %v", u, err)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	server := emulatortest.NewServer(t)
	client := dial(t, server)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			name := fmt.Sprintf("caller-%d", i)
			if i%2 == 0 {
				if err := lifeOfM2MClient(t.Context(), client, name); err != nil {
					t.Errorf("%s, M2M client: %v", name, err)
				}
			} else if err := lifeOfConnectedApp(t.Context(), client, name); err != nil {
				t.Errorf("%s, Connected App: %v", name, err)
			}
		})
	}
	wg.Wait()
	clients, err := client.M2M.SearchPage(t.Context(), stytch.M2MSearch{})
	if err != nil || clients.Total != 0 {
		t.Errorf("left over: %+v, %v", clients, err)
	}
	apps, err := client.ConnectedApps.SearchPage(t.Context(), stytch.ConnectedAppSearch{})
	if err != nil || apps.Total != 0 {
		t.Errorf("left over: %+v, %v", apps, err)
	}
}

func TestSearchOfManyClients(t *testing.T) {
	const all = 2500
	seeds := emulator.WithM2MClients(all, func(i int) emulator.M2MClientSeed {
		return emulator.M2MClientSeed{ClientID: fmt.Sprintf("client-%04d", i), Scopes: []string{fmt.Sprintf("mod:%d", i%5)}}
	})
	for _, counted := range []bool{true, false} {
		client := dial(t, emulatortest.NewServer(t, seeds, emulator.WithTotals(counted)))
		for _, tt := range []struct {
			search      stytch.M2MSearch
			want, pages int
		}{
			{stytch.M2MSearch{}, all, 25},
			{stytch.M2MSearch{Limit: 1000, Prefetch: true}, all, 3},
			{stytch.M2MSearch{Limit: 499, Filter: stytch.All(stytch.HasScope("mod:3"))}, all / 5, 2},
			{stytch.M2MSearch{Limit: 500, Prefetch: true, Filter: stytch.Any(stytch.HasScope("mod:1"), stytch.HasScope("mod:3"))}, all / 5 * 2, 2},
			{stytch.M2MSearch{Filter: stytch.All(stytch.HasScope("mod:9"))}, 0, 1},
		} {
			seen, pages, total := map[string]bool{}, 0, -2
			tt.search.OnPage = func(p stytch.PageInfo) { pages, total = pages+1, p.Total }
			for m, err := range client.M2M.Search(t.Context(), tt.search) {
				if err != nil {
					t.Fatal(err)
				}
				seen[m.ClientID] = true
			}
			wantTotal := -1
			if counted {
				wantTotal = tt.want
			}
			if len(seen) != tt.want || pages != tt.pages || total != wantTotal {
				t.Errorf("%d clients on %d pages, total %d; want %d on %d, %d", len(seen), pages, total, tt.want, tt.pages, wantTotal)
			}
		}
	}
}

// TestFaultsOnTheNetwork repeats with sockets what settle_test.go and secrets_test.go show for
// every fault without them.
func TestFaultsOnTheNetwork(t *testing.T) {
	quick := stytch.WithRetry(stytch.Retry{BaseDelay: 1, MaxDelay: 1})
	for name, fault := range map[string]func(string) emulator.Fault{"dropped response": emulator.DropResponse, "cut body": emulator.CutBody, "reset": emulator.Reset} {
		t.Run(name, func(t *testing.T) {
			server := emulatortest.NewServer(t)
			client := dial(t, server, quick)
			count := func(operation string) int { return local{Emulator: server.Emulator}.count(operation) }

			server.Inject(fault("CreateM2MClient").Times(1))
			chosen := secret.Generate()
			made, err := client.M2M.Create(t.Context(), stytch.M2MCreate{ClientID: "own", ClientSecret: secret.Outgoing(chosen), Scopes: []string{"a"}})
			if err != nil || !made.ClientSecret.Equal(chosen) {
				t.Fatal(err)
			}
			page, err := client.M2M.SearchPage(t.Context(), stytch.M2MSearch{})
			if err != nil || page.Total != 1 {
				t.Errorf("%+v, %v; want one client", page, err)
			}

			server.Inject(fault("StartM2MClientSecretRotation").Times(1))
			next, err := client.M2M.Secrets.Start(t.Context(), "own") // the cut is behind the secret
			if next.IsZero() != (name != "cut body") || errors.Is(err, stytch.ErrOutcomeUnknown) != next.IsZero() || err == nil || count("StartM2MClientSecretRotation") != 1 {
				t.Errorf("Start: %v after %d requests", err, count("StartM2MClientSecretRotation"))
			}

			for _, op := range []string{"GetM2MClient", "UpdateM2MClient", "SearchM2MClients", "DeleteM2MClient"} {
				server.Inject(fault(op).Times(1))
			}
			_, got := client.M2M.Get(t.Context(), "own")
			_, updated := client.M2M.Update(t.Context(), "own", stytch.M2MUpdate{ClientName: stytch.Set("n")})
			_, found := client.M2M.SearchPage(t.Context(), stytch.M2MSearch{})
			deleted := client.M2M.Delete(t.Context(), "own") // not found after a lost response: it is gone
			if err := errors.Join(got, updated, found, deleted); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestGeneratedClientOverTheDoer(t *testing.T) {
	server := emulatortest.NewServer(t, emulator.WithFaults(emulator.HTML("GetM2MClient", http.StatusBadGateway).Times(1)))
	client := dial(t, server, stytch.WithRetry(stytch.Retry{BaseDelay: 1, MaxDelay: 1}))
	raw, err := gen.NewClientWithResponses(client.BaseURL(), gen.WithHTTPClient(client))
	if err != nil {
		t.Fatal(err)
	}
	created, err := raw.CreateM2MClientWithResponse(t.Context(), gen.CreateM2MClientRequest{Scopes: []string{"a"}})
	if err != nil || created.JSON200 == nil {
		t.Fatal(err)
	}
	// Values flow between the two clients unchanged.
	updated, err := client.M2M.Update(t.Context(), created.JSON200.M2MClient.ClientID, gen.UpdateM2MClientRequest{ClientName: stytch.Set("n")})
	if err != nil {
		t.Fatal(err)
	}
	got, err := raw.GetM2MClientWithResponse(t.Context(), updated.ClientID) // the second attempt succeeds
	if err != nil || got.JSON200 == nil || !reflect.DeepEqual(got.JSON200.M2MClient, *updated) {
		t.Errorf("got %+v, %v; want %+v", got, err, updated)
	}
	if _, err := raw.GetM2MClientWithResponse(t.Context(), "nobody"); !errors.Is(err, stytch.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	keys, err := raw.GetJWKSWithResponse(t.Context(), client.ProjectID())
	if err != nil || keys.JSON200 == nil || len(keys.JSON200.Keys) == 0 {
		t.Errorf("got %+v, %v", keys, err)
	}
}
