package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

func TestCreateClient(t *testing.T) {
	s := open(t, false)
	for _, test := range []struct {
		name  string
		pairs []string
		field string
		want  string
	}{
		{"no scopes", []string{"client_name", "kept"}, "scopes", "It must not be empty. Nothing was sent."},
		{"a bad scope", []string{"client_name", "kept", "scopes", "é"}, "scopes", "invalid_m2m_client_scope"},
		{"a short secret", []string{"client_name", "kept", "scopes", "a", "client_secret", "canary1"}, "client_secret", "at least 8 characters"},
		{"a weak secret", []string{"client_name", "kept", "scopes", "a", "client_secret", "canarcanaaa"}, "client_secret", "insecure_m2m_client_secret"},
		{"a bad id", []string{"client_name", "kept", "scopes", "a", "client_id", "search"}, "client_id", "which names another route"},
		{"no object", []string{"client_name", "kept", "scopes", "a", "trusted_metadata", "[1]"}, "trusted_metadata", "Enter a JSON object"},
		{"no JSON", []string{"client_name", "kept", "scopes", "a", "trusted_metadata", "{"}, "trusted_metadata", "Enter a JSON object"},
	} {
		p := s.post("clients/new", test.pairs...)
		s.has(p, http.StatusUnprocessableEntity, `value="kept"`, "!canary1")
		if got := s.find(p, `id="`+test.field+`-error">([^<]*)<`); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s", test.name, got)
		}
	}
	if found, err := s.api.M2M.SearchPage(context.Background(), stytch.M2MSearch{}); err != nil || found.Total != 0 {
		t.Fatalf("%d clients, %v", found.Total, err)
	}

	p := s.post("clients/new", "client_name", "Night worker", "client_description", "d", "scopes", "read:users\r\nwrite:a", "trusted_metadata", `{"n": 12345678901234567890}`)
	text := s.find(p, shownSecret)
	if strings.Contains(p.path, text) || p.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the secret is in the address, or may be kept: %v", p.header)
	}
	id, err := url.PathUnescape(strings.TrimPrefix(p.path, "/_emulator/clients/"))
	if err != nil {
		t.Fatal(err)
	}
	s.has(s.get("clients/"+id), http.StatusOK, "!"+text, "12345678901234567890", "Night worker", "…"+text[len(text)-4:])
	if ok, err := s.api.M2M.Secrets.Probe(context.Background(), id, secret.New(text)); err != nil || !ok {
		t.Errorf("the secret is not accepted: %v, %v", ok, err)
	}

	imported := s.post("clients/new", "client_id", "legacy<1>", "client_secret", "Correct-Horse-9", "scopes", "a")
	s.has(imported, http.StatusOK, "legacy&lt;1&gt;")
	if got := s.find(imported, shownSecret); got != "Correct-Horse-9" {
		t.Errorf("the secret is not the one that was chosen")
	}
	s.has(s.get("clients?q="+url.QueryEscape("legacy<1>")), http.StatusOK, "1 M2M client found")
	s.has(s.post("clients/new", "client_id", "legacy<1>", "scopes", "a"), http.StatusUnprocessableEntity, "duplicate_m2m_client_id")
}

// A notice belongs to one browser and to one page.
func TestSecretIsShownOnce(t *testing.T) {
	s := open(t, false)
	p := s.post("secret")
	s.has(p, http.StatusOK, "export STYTCH_PROJECT_SECRET="+projectSecret+"\n")
	s.has(s.get(""), http.StatusOK, "export STYTCH_PROJECT_SECRET=…\n")
	for _, path := range allPages {
		s.has(s.get(path), http.StatusOK, "!"+projectSecret)
	}
}

func TestUpdateClient(t *testing.T) {
	s := open(t, false)
	ctx := context.Background()
	metadata, err := stytch.NewMetadata(map[string]any{"team": "billing", "tier": 2})
	if err != nil {
		t.Fatal(err)
	}
	created, err := s.api.M2M.Create(ctx, stytch.M2MCreate{ClientName: "Old", Scopes: []string{"a"}, TrustedMetadata: metadata})
	if err != nil {
		t.Fatal(err)
	}
	page := "clients/" + created.ClientID
	s.has(s.post(page, "client_name", "New", "client_description", "", "scopes", "b c", "status", "inactive", "trusted_metadata", `{"tier": 3}`), http.StatusOK, "The changes were saved", "inactive")
	now, err := s.api.M2M.Get(ctx, created.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	if now.ClientName != "New" || strings.Join(now.Scopes, " ") != "b c" || now.Status != "inactive" || now.TrustedMetadata.String() != `{"tier":3}` {
		t.Errorf("the client is %+v", now)
	}
	s.has(s.post(page, "client_name", "Newer", "scopes", "b", "status", "gone", "trusted_metadata", "{}"), http.StatusUnprocessableEntity, `value="Newer"`, `id="status-error"`)
	s.has(s.post(page+"/delete"), http.StatusOK, "was deleted")
	s.has(s.post(page+"/delete"), http.StatusOK, "was deleted") // as the API, it can be repeated
	s.has(s.post(page, "client_name", "x"), http.StatusNotFound)
}

func TestRotation(t *testing.T) {
	s := open(t, false)
	ctx := context.Background()
	created := s.client("Rotated")
	page := "clients/" + created.ClientID
	four := func(text string) string { return "…" + text[len(text)-4:] }
	first := created.ClientSecret.Reveal()
	s.has(s.get(page), http.StatusOK, "Start a rotation", "!Complete the rotation", four(first))
	p := s.post(page+"/rotation", "step", "start")
	next := s.find(p, shownSecret)
	s.has(p, http.StatusOK, "Complete the rotation", "Cancel the rotation", "!Start a rotation", four(first), four(next))
	s.has(s.get(page), http.StatusOK, "!"+next)
	s.has(s.post(page+"/rotation", "step", "start"), http.StatusUnprocessableEntity, "m2m_client_already_rotating_secret")
	for _, text := range []string{first, next} {
		if ok, err := s.api.M2M.Secrets.Probe(ctx, created.ClientID, secret.New(text)); err != nil || !ok {
			t.Errorf("a secret is not accepted: %v, %v", ok, err)
		}
	}
	s.has(s.post(page+"/rotation", "step", "cancel"), http.StatusOK, "The rotation was canceled", "Start a rotation")
	s.has(s.post(page+"/rotation", "step", "complete"), http.StatusUnprocessableEntity, "m2m_client_not_rotating_secret")
	s.has(s.post(page+"/rotation", "step", "jump"), http.StatusUnprocessableEntity, "There is no step jump", "Nothing was changed")
	last := s.find(s.post(page+"/rotation", "step", "start"), shownSecret)
	s.has(s.post(page+"/rotation", "step", "complete"), http.StatusOK, "The rotation is complete", four(last))
	if ok, err := s.api.M2M.Secrets.Probe(ctx, created.ClientID, secret.New(first)); err != nil || ok {
		t.Errorf("the first secret is still accepted: %v, %v", ok, err)
	}
}

func TestConnectedApps(t *testing.T) {
	s := open(t, false)
	s.has(s.get("apps"), http.StatusOK, "There is no Connected App yet")
	p := s.post("apps/new", "client_type", "third_party", "client_name", "Add-on", "redirect_urls", "addon.example.com", "access_token_expiry_minutes", "60", "full_access_allowed", "true")
	s.has(p, http.StatusUnprocessableEntity, `value="Add-on"`, "checked", `-error">`)
	s.has(s.post("apps/new", "client_type", "third_party", "access_token_expiry_minutes", "soon"), http.StatusUnprocessableEntity, "whole number of minutes")
	p = s.post("apps/new", "client_type", "third_party", "client_name", "Add-on", "redirect_urls", "https://addon.example.com/cb", "access_token_expiry_minutes", "60")
	s.has(p, http.StatusOK, "The Connected App was created")
	page := strings.TrimPrefix(p.path, "/_emulator/")
	s.find(p, shownSecret)
	next := s.find(s.post(page+"/rotation", "step", "start"), shownSecret)
	s.has(s.post(page+"/rotation", "step", "complete"), http.StatusOK, "…"+next[len(next)-4:])
	s.has(s.post(page, "client_name", "Other", "access_token_expiry_minutes", "90", "redirect_urls", ""), http.StatusOK, "The changes were saved", "Other", "90")
	s.has(s.post(page, "client_name", "Third", "access_token_expiry_minutes", "0"), http.StatusUnprocessableEntity, `value="Third"`)
	public := s.post("apps/new", "client_type", "first_party_public", "client_name", "Calendar", "access_token_expiry_minutes", "60")
	s.has(public, http.StatusOK, "have no secret", "!Start a rotation", "!id=\"secret\"")
	s.has(s.get("apps?q=CALEND"), http.StatusOK, "1 match among 2 Connected Apps", "Calendar", "!Other")
	s.has(s.get("apps?q=nothing"), http.StatusOK, "Nothing found among 2 Connected Apps")
	s.has(s.post(page+"/delete"), http.StatusOK, "was deleted", "!Other")
}

// Paging goes through all clients once, and back.
func TestPaging(t *testing.T) {
	s := open(t, false)
	const n = 120
	for range n {
		s.client("Worker")
	}
	seen := map[string]bool{}
	path, pages := "clients?q=Worker", 0
	var p shown
	for path != "" {
		p = s.get(path)
		s.has(p, http.StatusOK, "120 M2M clients found")
		for _, row := range strings.Split(p.body, `class="mono id">`)[1:] {
			seen[row[:strings.Index(row, "<")]] = true
		}
		pages++
		path = link(p.body, "next")
	}
	if len(seen) != n || pages != 3 {
		t.Errorf("%d clients on %d pages", len(seen), pages)
	}
	for range 2 {
		p = s.get(link(p.body, "prev"))
	}
	s.has(p, http.StatusOK, "Page 1", `rel="next"`, `!rel="prev"`)
	s.has(s.get("clients?cursor=bad"), http.StatusBadRequest, "The cursor is not valid")
}

// link is where a link of a list leads, "" if there is none.
func link(body, rel string) string {
	before, _, found := strings.Cut(body, `" rel="`+rel+`"`)
	if !found {
		return ""
	}
	at := strings.LastIndex(before, `href="`)
	return strings.TrimPrefix(strings.ReplaceAll(before[at+len(`href="`):], "&amp;", "&"), "/_emulator/")
}
