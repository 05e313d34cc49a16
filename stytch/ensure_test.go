package stytch_test

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

func metadataOf(t *testing.T, v any) stytch.Metadata {
	t.Helper()
	m, err := stytch.NewMetadata(v)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Ensure creates a client, leaves it alone, or updates what differs and nothing else.
func TestEnsure(t *testing.T) {
	l := newLocal(t)
	desired, chosen := ownCreate()
	desired.TrustedMetadata = metadataOf(t, map[string]any{"team": "billing", "size": int64(12345678901234567)})
	first, err := l.client.M2M.Ensure(t.Context(), desired)
	if err != nil || !first.Created || !first.Secret.Equal(chosen) || len(first.Updated) > 0 || first.Client.ClientID != "billing" {
		t.Fatalf("%+v, %v", first, err)
	}
	for _, test := range []struct {
		name    string
		change  func(r *stytch.M2MCreate)
		updated []string
	}{
		{"the same", func(*stytch.M2MCreate) {}, nil},
		{"scopes in another order", func(r *stytch.M2MCreate) { r.Scopes = []string{"read:users", "write:invoices"} }, nil},
		{"fields not set", func(r *stytch.M2MCreate) { r.ClientName, r.ClientDescription, r.TrustedMetadata = "", "", nil }, nil},
		{"no secret", func(r *stytch.M2MCreate) { r.ClientSecret = secret.Outgoing{} }, nil},
		{"a part of the metadata", func(r *stytch.M2MCreate) {
			r.TrustedMetadata = metadataOf(t, map[string]any{"team": "billing", "gone": nil})
		}, nil},
		{"scopes", func(r *stytch.M2MCreate) { r.Scopes = []string{"read:users"} }, []string{"scopes"}},
		{"name and description", func(r *stytch.M2MCreate) { r.ClientName, r.ClientDescription = "B", "b" }, []string{"client_name", "client_description"}},
		{"metadata", func(r *stytch.M2MCreate) {
			r.TrustedMetadata = metadataOf(t, map[string]any{"size": int64(12345678901234568), "new": true})
		}, []string{"trusted_metadata"}},
		{"metadata that goes", func(r *stytch.M2MCreate) { r.TrustedMetadata = metadataOf(t, map[string]any{"team": nil}) }, []string{"trusted_metadata"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLocal(t)
			if _, err := l.client.M2M.Create(t.Context(), desired); err != nil {
				t.Fatal(err)
			}
			wanted := desired
			wanted.Scopes = slices.Clone(desired.Scopes)
			test.change(&wanted)
			got, err := l.client.M2M.Ensure(t.Context(), wanted)
			if err != nil || got.Created || !slices.Equal(got.Updated, test.updated) || !got.Secret.Equal(secret.String(wanted.ClientSecret)) {
				t.Fatalf("%+v, %v", got, err)
			}
			if n := l.count("UpdateM2MClient"); n != min(len(test.updated), 1) {
				t.Errorf("%d updates", n)
			}
			again, err := l.client.M2M.Ensure(t.Context(), wanted)
			if err != nil || again.Created || len(again.Updated) > 0 || !reflect.DeepEqual(again.Client, got.Client) {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
}

// A client with another secret belongs to another caller, or was rotated: nothing is changed.
func TestEnsureConflict(t *testing.T) {
	l := newLocal(t)
	owned, chosen := ownCreate()
	if _, err := l.client.M2M.Create(t.Context(), owned); err != nil {
		t.Fatal(err)
	}
	desired, _ := ownCreate()
	desired.Scopes = []string{"other"}
	_, err := l.client.M2M.Ensure(t.Context(), desired)
	var conflict *stytch.ConflictError
	if !errors.As(err, &conflict) || !errors.Is(err, stytch.ErrAlreadyExists) || !slices.Equal(conflict.Differs, []string{"client_secret", "scopes"}) || conflict.ClientID != "billing" {
		t.Errorf("%v", err)
	}
	if n := l.count("UpdateM2MClient"); n != 0 {
		t.Errorf("%d updates", n)
	}
	// While it is rotated, the next secret counts as well.
	next, err := l.client.M2M.Secrets.Start(t.Context(), "billing")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []secret.String{chosen, next} {
		owned.ClientSecret = secret.Outgoing(s)
		if _, err := l.client.M2M.Ensure(t.Context(), owned); err != nil {
			t.Errorf("during a rotation: %v", err)
		}
	}
	if _, err := l.client.M2M.Ensure(t.Context(), stytch.M2MCreate{Scopes: []string{"a"}}); !errors.Is(err, stytch.ErrInvalidArgument) {
		t.Errorf("without an id: %v", err)
	}
}

// Two processes that start at once end with one client, as desired.
func TestEnsureTwice(t *testing.T) {
	l := newLocal(t)
	desired, chosen := ownCreate()
	other := desired
	other.Scopes = []string{"other"}
	between := false
	c := clientInMemory(t, func(w http.ResponseWriter, r *http.Request) {
		l.Emulator.ServeHTTP(w, r)
		if r.Method == http.MethodGet && !between {
			between = true
			if _, err := l.client.M2M.Create(t.Context(), other); err != nil {
				t.Error(err)
			}
		}
	})
	got, err := c.M2M.Ensure(t.Context(), desired)
	if err != nil || got.Created || !slices.Equal(got.Updated, []string{"scopes"}) || !got.Secret.Equal(chosen) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Create says in what an existing client differs, and whether it may be the caller's own.
func TestCreateConflict(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(r *stytch.M2MCreate)
		says   string
		fields []string
	}{
		{"other scopes", func(r *stytch.M2MCreate) { r.Scopes = []string{"a"} }, "ends like yours, but scopes differ: call M2M.Update", []string{"scopes"}},
		{"other name", func(r *stytch.M2MCreate) { r.ClientName = "x" }, "ends like yours, but client_name differ", []string{"client_name"}},
		{"other secret", func(r *stytch.M2MCreate) { r.ClientSecret = secret.Outgoing(secret.Generate()) }, "has another secret", []string{"client_secret"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLocal(t)
			r, _ := ownCreate()
			if _, err := l.client.M2M.Create(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			test.change(&r)
			_, err := l.client.M2M.Create(t.Context(), r)
			var conflict *stytch.ConflictError
			var response *stytch.Error
			if !errors.As(err, &conflict) || !errors.Is(err, stytch.ErrAlreadyExists) || !strings.Contains(err.Error(), test.says) || !slices.Equal(conflict.Differs, test.fields) {
				t.Errorf("%v", err)
			}
			if !errors.As(err, &response) || response.StatusCode != 400 || response.RequestID == "" {
				t.Errorf("the response is lost: %v", err)
			}
		})
	}
}

func TestInsecureBaseURL(t *testing.T) {
	for _, address := range []string{"http://stytch:4000", "http://10.0.0.7/a/", "https://custom.example"} {
		c := newClient(t, stytch.WithInsecureBaseURL(address))
		if got := c.BaseURL(); got != strings.TrimSuffix(address, "/") {
			t.Errorf("%s became %s", address, got)
		}
	}
	if _, err := stytch.New(canaryProject, canarySecret, stytch.WithInsecureBaseURL("ftp://stytch")); !errors.Is(err, stytch.ErrInvalidArgument) {
		t.Errorf("%v", err)
	}
	if got := newClient(t, stytch.WithBaseURL("")).BaseURL(); got != "https://test.stytch.com" {
		t.Errorf("an empty address became %s", got)
	}
}
