package conformance

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/stytch"
)

func (s *suite) connectedApps(t reporter) {
	for _, kind := range []stytch.ConnectedAppType{stytch.FirstParty, stytch.FirstPartyPublic, stytch.ThirdParty, stytch.ThirdPartyPublic} {
		t.Run("create "+string(kind), func(t reporter) { s.appCreate(t, kind) })
	}
	t.Run("create with everything", s.appCreateFull)
	t.Run("update", s.appUpdate)
	t.Run("third party", s.appThirdParty)
	t.Run("delete", s.appDelete)
	t.Run("unknown", func(t reporter) {
		id := s.unknownID("connected-app")
		_, got := s.api.ConnectedApps.Get(t.Context(), id)
		_, updated := s.api.ConnectedApps.Update(t.Context(), id, stytch.ConnectedAppUpdate{ClientDescription: stytch.Set("x")})
		checkUnknown(t, map[string]error{"Get": got, "Update": updated, "Delete": s.api.ConnectedApps.Delete(t.Context(), id)})
	})
}

var appID = regexp.MustCompile(`^connected-app-(test|live)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (s *suite) appCreate(t reporter, kind stytch.ConnectedAppType) {
	created := s.newApp(t, stytch.ConnectedAppCreate{ClientType: kind})
	if !appID.MatchString(created.ClientID) || created.ClientType != kind || created.Status != "active" || !s.owns(created.ClientName) {
		t.Errorf("created %s; want an id of Stytch's form, the type %s, the status active, and its name", show(created), kind)
	}
	if created.FullAccessAllowed || created.BypassConsentForOfflineAccess || created.AccessTokenExpiryMinutes != 60 {
		t.Errorf("created %s; want the documented defaults", show(created))
	}
	if public := strings.HasSuffix(string(kind), "_public"); public != created.ClientSecret.IsZero() || public != (text(created.ClientSecretLastFour) == "") {
		t.Errorf("created %s; a secret is for confidential types, and for all of them", show(created))
	} else if !public {
		checkLastFour(t, text(created.ClientSecretLastFour), created.ClientSecret)
	}
	s.checkApp(t, created.ClientID, as[stytch.ConnectedApp](t, created))
}

const template = `{"conformance":"yes"}`

func (s *suite) appCreateFull(t reporter) {
	created := s.newApp(t, stytch.ConnectedAppCreate{
		ClientType: stytch.FirstParty, ClientDescription: "Everything: äöü 日本語", RedirectURLs: []string{"https://b.example.com/callback", "https://a.example.com/callback"},
		PostLogoutRedirectURLs: []string{"https://a.example.com/bye"}, FullAccessAllowed: true, BypassConsentForOfflineAccess: true,
		AccessTokenExpiryMinutes: 5, AccessTokenCustomAudience: "https://api.example.com", AccessTokenTemplateContent: template,
		IDTokenTemplateContent: template, LogoURL: "https://a.example.com/logo.png",
	})
	want := as[stytch.ConnectedApp](t, created)
	s.checkApp(t, created.ClientID, want)
	if want.ClientDescription != "Everything: äöü 日本語" || !want.FullAccessAllowed || !want.BypassConsentForOfflineAccess || want.AccessTokenExpiryMinutes != 5 ||
		text(want.AccessTokenCustomAudience) != "https://api.example.com" || want.AccessTokenTemplateContent != template || text(want.LogoURL) != "https://a.example.com/logo.png" ||
		!same(want.RedirectURLs, []string{"https://b.example.com/callback", "https://a.example.com/callback"}) || !slices.Equal(want.PostLogoutRedirectURLs, []string{"https://a.example.com/bye"}) {
		t.Errorf("created %s, which is not what was sent", show(want))
	}
	s.assumed(t, "a template of ID tokens is kept", text(want.IDTokenTemplateContent) == template, text(want.IDTokenTemplateContent))
}

func (s *suite) appUpdate(t reporter) {
	created := s.newApp(t, stytch.ConnectedAppCreate{ClientType: stytch.FirstParty, ClientDescription: "first", RedirectURLs: []string{"https://a.example.com/callback"}})
	want, err := s.api.ConnectedApps.Get(t.Context(), created.ClientID)
	must(t, err, "get")
	renamed, audience, logo := s.name(), "https://api.example.com", "https://a.example.com/logo.png"
	for _, step := range []struct {
		name   string
		update stytch.ConnectedAppUpdate
		change func(*stytch.ConnectedApp)
	}{
		{"nothing", stytch.ConnectedAppUpdate{}, func(*stytch.ConnectedApp) {}},
		{"name", stytch.ConnectedAppUpdate{ClientName: stytch.Set(renamed)}, func(a *stytch.ConnectedApp) { a.ClientName = renamed }},
		{"empty description", stytch.ConnectedAppUpdate{ClientDescription: stytch.Set("")}, func(a *stytch.ConnectedApp) { a.ClientDescription = "" }},
		{"no redirects", stytch.ConnectedAppUpdate{RedirectURLs: stytch.List[string]()}, func(a *stytch.ConnectedApp) { a.RedirectURLs = []string{} }},
		{"redirects after logging out", stytch.ConnectedAppUpdate{PostLogoutRedirectURLs: stytch.List("https://a.example.com/bye")},
			func(a *stytch.ConnectedApp) { a.PostLogoutRedirectURLs = []string{"https://a.example.com/bye"} }},
		{"access", stytch.ConnectedAppUpdate{FullAccessAllowed: stytch.Set(true), BypassConsentForOfflineAccess: stytch.Set(true)},
			func(a *stytch.ConnectedApp) { a.FullAccessAllowed, a.BypassConsentForOfflineAccess = true, true }},
		{"no access", stytch.ConnectedAppUpdate{FullAccessAllowed: stytch.Set(false), BypassConsentForOfflineAccess: stytch.Set(false)},
			func(a *stytch.ConnectedApp) { a.FullAccessAllowed, a.BypassConsentForOfflineAccess = false, false }},
		{"expiry", stytch.ConnectedAppUpdate{AccessTokenExpiryMinutes: stytch.Set[int32](30)}, func(a *stytch.ConnectedApp) { a.AccessTokenExpiryMinutes = 30 }},
		{"audience and logo", stytch.ConnectedAppUpdate{AccessTokenCustomAudience: stytch.Set(audience), LogoURL: stytch.Set(logo)},
			func(a *stytch.ConnectedApp) { a.AccessTokenCustomAudience, a.LogoURL = &audience, &logo }},
		{"template", stytch.ConnectedAppUpdate{AccessTokenTemplateContent: stytch.Set(template)}, func(a *stytch.ConnectedApp) { a.AccessTokenTemplateContent = template }},
	} {
		step.change(want)
		updated, err := s.api.ConnectedApps.Update(t.Context(), created.ClientID, step.update)
		must(t, err, "update "+step.name)
		compareApps(t, "the response to the update of "+step.name, *updated, *want)
		s.checkApp(t, created.ClientID, *want)
	}

	id, err := s.api.ConnectedApps.Update(t.Context(), created.ClientID, stytch.ConnectedAppUpdate{IDTokenTemplateContent: stytch.Set(template)})
	s.assumed(t, "a template of ID tokens is updated", err == nil && text(id.IDTokenTemplateContent) == template, err)
	null, err := s.api.ConnectedApps.Update(t.Context(), created.ClientID, stytch.ConnectedAppUpdate{LogoURL: stytch.Clear[string]()})
	s.assumed(t, "null takes a logo away", err == nil && text(null.LogoURL) == "", err)
}

// appThirdParty checks what is for first parties only.
func (s *suite) appThirdParty(t reporter) {
	if _, err := s.tryApp(t, stytch.ConnectedAppCreate{ClientType: stytch.ThirdParty, FullAccessAllowed: true}); !refused(err) {
		t.Errorf("full access for a third party: %v; want a refusal", err)
	}
	if _, err := s.tryApp(t, stytch.ConnectedAppCreate{ClientType: stytch.ThirdPartyPublic, BypassConsentForOfflineAccess: true}); !refused(err) {
		t.Errorf("offline access without consent for a third party: %v; want a refusal", err)
	}
}

func (s *suite) appDelete(t reporter) {
	created := s.newApp(t, stytch.ConnectedAppCreate{ClientType: stytch.ThirdParty})
	must(t, s.api.ConnectedApps.Delete(t.Context(), created.ClientID), "delete")
	if _, err := s.api.ConnectedApps.Get(t.Context(), created.ClientID); !errors.Is(err, stytch.ErrNotFound) {
		t.Errorf("get after delete: %v; want ErrNotFound", err)
	}
	if err := s.api.ConnectedApps.Delete(t.Context(), created.ClientID); !errors.Is(err, stytch.ErrNotFound) {
		t.Errorf("delete after delete: %v; want ErrNotFound", err)
	}
}

func (s *suite) checkApp(t reporter, id string, want stytch.ConnectedApp) {
	t.Helper()
	got, err := s.api.ConnectedApps.Get(t.Context(), id)
	must(t, err, "get")
	compareApps(t, "the app", *got, want)
}

func compareApps(t reporter, what string, got, want stytch.ConnectedApp) {
	t.Helper()
	if want.CreationMethod == "" { // a response to a creation does not say it
		want.CreationMethod = got.CreationMethod
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %s, want %s", what, show(got), show(want))
	}
}
