package emulator_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

var publicPaths = []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"}

func TestDiscovery(t *testing.T) {
	for _, c := range []struct {
		name, issuer string
		opts         []emulator.Option
	}{
		{"the host of the request", "", nil},
		{"an issuer", "https://login.example.com", []emulator.Option{emulator.WithIssuer("https://login.example.com")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := start(t, c.opts...)
			issuer := c.issuer
			if issuer == "" {
				issuer = w.URL
			}
			for _, path := range publicPaths[:2] {
				var both [2]map[string]any
				for i, prefix := range []string{"", "/v1/public/" + w.ProjectID} {
					body := w.expect(200, "", "GET", prefix+path, "", noAuth).body
					if err := json.Unmarshal([]byte(body), &both[i]); err != nil {
						t.Fatal(err)
					}
					for name, want := range map[string]string{"issuer": "", "token_endpoint": "/v1/oauth2/token", "jwks_uri": "/.well-known/jwks.json"} {
						if both[i][name] != issuer+want {
							t.Errorf("%s%s: %s is %v, want %s", prefix, path, name, both[i][name], issuer+want)
						}
					}
				}
			}
		})
	}
}

// A project names the address for registrations only if it allows them.
func TestDiscoveryOfRegistration(t *testing.T) {
	const path = "/.well-known/oauth-authorization-server"
	if off := start(t).expect(200, "", "GET", path, "", noAuth).body; strings.Contains(off, "registration_endpoint") {
		t.Error(off)
	}
	w := registering(t)
	if got := w.ok("GET", path, "")["registration_endpoint"]; got != w.URL+registerPath {
		t.Errorf("%v", got)
	}
}

func TestPublicPathsOfAnotherProject(t *testing.T) {
	w := start(t)
	for _, path := range publicPaths {
		w.expect(404, "project_not_found", "GET", "/v1/public/project-test-2"+path, "", noAuth)
		w.expect(400, "invalid_project_id", "GET", "/v1/public/two"+path, "", noAuth)
		w.expect(405, "method_not_allowed", "POST", path, "", noAuth)
	}
}

// All addresses of the key set list the same keys.
func TestKeySetOnProjectDomain(t *testing.T) {
	w := start(t)
	w.RotateSigningKey()
	want, _ := json.Marshal(w.ok("GET", "/v1/sessions/jwks/"+w.ProjectID, "")["keys"])
	for _, path := range []string{"/.well-known/jwks.json", "/v1/public/" + w.ProjectID + "/.well-known/jwks.json"} {
		if got, _ := json.Marshal(w.ok("GET", path, "", noAuth)["keys"]); string(got) != string(want) {
			t.Errorf("%s lists other keys", path)
		}
	}
}

// A token has the domain as its issuer if it was requested there, and is active at both addresses.
func TestTokenOnProjectDomain(t *testing.T) {
	w := tokenProject(t)
	for path, want := range map[string]string{"/v1/oauth2/token": w.URL, "/v1/public/" + w.ProjectID + "/oauth2/token": "stytch.com/" + w.ProjectID} {
		got := w.expect(200, "", "POST", path, form("grant_type", "client_credentials", "client_id", "worker", "client_secret", "Correct-Horse-8"), noAuth, formType)
		var body struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal([]byte(got.body), &body); err != nil {
			t.Fatal(err)
		}
		claims := w.introspect(body.AccessToken, "client_id", "worker", "client_secret", "Correct-Horse-8")
		if claims["active"] != true || claims["iss"] != want {
			t.Errorf("%s: %v", path, claims)
		}
	}
	if w.TokensMinted("") != 2 || w.MintedBy()["worker"] != 2 {
		t.Errorf("%d tokens are billed", w.TokensMinted(""))
	}
	w.expect(400, "invalid_client", "POST", "/v1/oauth2/token", form("grant_type", "client_credentials"), noAuth, formType)
}
