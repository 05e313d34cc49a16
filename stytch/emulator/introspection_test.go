package emulator_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
)

const (
	introspectPath = "/v1/oauth2/introspect"
	revokePath     = "/v1/oauth2/revoke"
)

var formType = header("Content-Type", "application/x-www-form-urlencoded")

func form(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

// tokenProject is a project with a confidential app, a public one and an M2M client.
func tokenProject(t *testing.T, opts ...emulator.Option) *harness {
	return start(t, append([]emulator.Option{
		emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: "portal", Secret: "Correct-Horse-9", ClientType: "third_party"}),
		emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: "spa", ClientType: "third_party_public"}),
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "worker", Secret: "Correct-Horse-8", Scopes: []string{"read:users"}}),
	}, opts...)...)
}

// sign makes a token of a client, with its claims changed.
func (w *harness) sign(client string, change map[string]any) string {
	w.t.Helper()
	claims, err := w.Claims(client)
	if err != nil {
		w.t.Fatal(err)
	}
	maps.Copy(claims, change)
	token, err := w.Sign(claims)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func (w *harness) introspect(token string, credentials ...string) map[string]any {
	w.t.Helper()
	got := w.expect(200, "", "POST", introspectPath, form(append(credentials, "token", token)...), noAuth, formType)
	var body map[string]any
	if json.Unmarshal([]byte(got.body), &body) != nil || got.header.Get("Cache-Control") != "no-store" {
		w.t.Errorf("%s, Cache-Control %q", got.body, got.header.Get("Cache-Control"))
	}
	return body
}

func TestIntrospect(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	w := tokenProject(t, emulator.WithClock(func() time.Time { return now }))
	portal, spa, worker := []string{"client_id", "portal", "client_secret", "Correct-Horse-9"}, []string{"client_id", "spa"}, []string{"client_id", "worker", "client_secret", "Correct-Horse-8"}

	got := w.introspect(w.sign("portal", map[string]any{"scope": "openid", "tenant": "a", "big": json.Number("9007199254740993")}), portal...)
	for name, want := range map[string]any{
		"active": true, "client_id": "portal", "scope": "openid", "tenant": "a", "token_type": "bearer", "status_code": 200.0, "exp": 1_800_003_600.0,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if sub, _ := got["sub"].(string); !strings.HasPrefix(sub, "user-test-") {
		t.Errorf("sub is %v, want a user", got["sub"])
	}
	if got := w.introspect(w.sign("worker", nil), worker...); got["active"] != true || got["client_id"] != "worker" || got["sub"] != "worker" {
		t.Errorf("the token of an M2M client: %v", got)
	}
	if got := w.introspect(w.sign("spa", nil), spa...); got["active"] != true {
		t.Errorf("the token of a public app: %v", got)
	}

	good := w.sign("portal", nil)
	forged := good[:len(good)-8] + "AAAAAAAA"
	for name, token := range map[string]string{
		"of nobody": "made.up.token", "opaque": "refresh-token", "forged": forged, "unsigned": strings.Join(strings.Split(good, ".")[:2], ".") + ".",
		"expired": w.sign("portal", map[string]any{"exp": now.Unix()}), "without an end": w.sign("portal", map[string]any{"exp": nil}),
		"not valid yet": w.sign("portal", map[string]any{"nbf": now.Unix() + 1}), "of another issuer": w.sign("portal", map[string]any{"iss": "stytch.com/project-test-2"}),
		"of another app": w.sign("spa", nil), "of an M2M client": w.sign("worker", nil),
	} {
		got := w.introspect(token, portal...)
		if got["active"] != false || len(got) != 3 {
			t.Errorf("a token %s: %v, want active false and nothing else", name, got)
		}
		all := w.Requests()
		if last := all[len(all)-1]; last.ClientID != "portal" || !strings.HasPrefix(last.Reason, "the token is not active: ") || strings.Contains(last.Reason, token) {
			t.Errorf("a token %s: the log says %q of %q", name, last.Reason, last.ClientID)
		}
	}
}

func TestRevoke(t *testing.T) {
	w := tokenProject(t)
	portal := []string{"client_id", "portal", "client_secret", "Correct-Horse-9"}
	token, other, foreign := w.sign("portal", nil), w.sign("portal", nil), w.sign("spa", nil)
	for _, revoked := range []string{token, token, foreign, "no token"} { // a repetition and a foreign token change nothing
		w.expect(200, "", "POST", revokePath, form(append(portal, "token", revoked, "token_type_hint", "access_token")...), noAuth, formType)
	}
	if w.introspect(token, portal...)["active"] != false {
		t.Error("the revoked token is active")
	}
	if w.introspect(token[:strings.LastIndex(token, ".")+1]+"\n"+token[strings.LastIndex(token, ".")+1:], portal...)["active"] != false {
		t.Error("another spelling of the revoked token is active")
	}
	if w.introspect(other, portal...)["active"] != true || w.introspect(foreign, "client_id", "spa")["active"] != true {
		t.Error("another token was revoked too")
	}
}

// Both endpoints check who asks in the same way.
func TestIntrospectionCredentials(t *testing.T) {
	w := tokenProject(t)
	token := w.sign("portal", nil)
	for _, path := range []string{introspectPath, revokePath, "/v1/public/" + w.ProjectID + "/oauth2/introspect", "/v1/public/" + w.ProjectID + "/oauth2/revoke"} {
		for name, c := range map[string]struct {
			body, reason string
			edit         edit
			kind         string
		}{
			"by Basic":                    {form("token", token), "", basic("portal", "Correct-Horse-9"), ""},
			"in the body, not in Basic":   {form("token", token, "client_id", "portal", "client_secret", "Correct-Horse-9"), "", basic(w.ProjectID, w.Secret), ""},
			"an M2M client":               {form("token", token, "client_id", "worker", "client_secret", "Correct-Horse-8"), "", noAuth, ""},
			"nothing":                     {form("token", token), "no credentials", noAuth, "invalid_client"},
			"no secret":                   {form("token", token, "client_id", "portal"), "has a secret", noAuth, "invalid_client"},
			"a wrong secret":              {form("token", token, "client_id", "portal", "client_secret", "Wrong-Horse-9"), "last four", noAuth, "invalid_client"},
			"a secret of a public app":    {form("token", token, "client_id", "spa", "client_secret", "Wrong-Horse-9"), "is public", noAuth, "invalid_client"},
			"no such client":              {form("token", token, "client_id", "nobody", "client_secret", "Wrong-Horse-9"), "no Connected App or M2M client", noAuth, "invalid_client"},
			"a wrong secret of a machine": {form("token", token, "client_id", "worker", "client_secret", "Wrong-Horse-9"), "worker", noAuth, "invalid_client"},
			"no token":                    {form("client_id", "spa"), "token is missing", noAuth, "invalid_request"},
			"a repeated token":            {form("token", token, "client_id", "spa") + "&token=x", "token is repeated", noAuth, "invalid_request"},
		} {
			status := 200
			if c.kind != "" {
				status = 400
			}
			w.expect(status, c.kind, "POST", path, c.body, c.edit, formType)
			all := w.Requests()
			if last := all[len(all)-1]; !strings.Contains(last.Reason, c.reason) || strings.Contains(last.Reason, "Horse") {
				t.Errorf("%s, %s: the log says %q", path, name, last.Reason)
			}
		}
		w.expect(400, "invalid_request", "POST", path, `{"token":"x"}`, noAuth, header("Content-Type", "application/json"))
	}
	w.expect(400, "invalid_request", "POST", "/v1/public/project-test-2/oauth2/introspect", form("token", token, "client_id", "spa"), noAuth, formType)

	b := w.Behavior()
	b.IntrospectM2M, b.InvalidClientStatus = emulator.Refuse, 401
	if err := w.SetBehavior(b); err != nil {
		t.Fatal(err)
	}
	w.expect(401, "invalid_client", "POST", introspectPath, form("token", token, "client_id", "worker", "client_secret", "Correct-Horse-8"), noAuth, formType)
}
