package seed_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/strictyaml"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// The starter does what its comments say, also with its examples in effect.
func TestStarter(t *testing.T) {
	text := strings.NewReplacer("  # issuer:", "  issuer:", "  # token_template:", "  token_template:", "# faults:", "faults:", "#   - {", "  - {").Replace(seed.Starter)
	if strings.Count(text, "#") != strings.Count(seed.Starter, "#")-4 {
		t.Fatalf("the examples are other ones:\n%s", text)
	}
	for _, text := range []string{seed.Starter, text} {
		s, err := seed.Parse("starter.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if s.Project.ID != seed.DefaultProjectID || s.Project.Secret.Reveal() != seed.DefaultSecret {
			t.Errorf("its project is %s", s.Project.ID)
		}
		e := emulatortest.NewServer(t, append(s.Options(), s.Identity()...)...)
		kinds := map[string]int{}
		for r := range e.Records() {
			kinds[r.Kind]++
		}
		if kinds["m2m_client"] != 2 || kinds["connected_app"] != 1 || len(e.Faults()) != len(s.Faults) {
			t.Errorf("it has %v", kinds)
		}
	}
}

func TestParse(t *testing.T) {
	s, err := seed.Parse("f.yaml", []byte(`
m2m_clients:
  - client_id: worker
    client_secret: Correct-Horse-9
    client_name: Worker
    client_description: works
    scopes: [read:users]
    trusted_metadata: {tier: 2.50, tags: [a]}
    status: inactive
connected_apps:
  - {client_id: portal, client_type: third_party_public, client_name: Portal, client_description: shows, redirect_urls: ["https://a.example/cb"]}
behavior: {token_id: true}
faults: [{kind: latency, latency: 1s}]
`))
	if err != nil {
		t.Fatal(err)
	}
	c, a := s.M2MClients[0], s.ConnectedApps[0]
	if c.ID != "worker" || c.Secret.Reveal() != "Correct-Horse-9" || c.Name != "Worker" || c.Description != "works" || c.Scopes[0] != "read:users" || c.Status != "inactive" ||
		fmt.Sprint(c.Metadata["tier"]) != "2.50" {
		t.Errorf("the client is %+v", c)
	}
	if a.ID != "portal" || a.Type != "third_party_public" || a.Name != "Portal" || a.Description != "shows" || a.RedirectURLs[0] != "https://a.example/cb" {
		t.Errorf("the app is %+v", a)
	}
	if !s.Behavior.TokenID || len(s.Faults) != 1 {
		t.Errorf("behavior %+v, faults %v", s.Behavior, s.Faults)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		if text := fmt.Sprintf(verb, s) + fmt.Sprintf(verb, c); strings.Contains(text, "Horse") {
			t.Errorf("%s shows a secret", verb)
		}
	}
}

// An error names the file, the line and the key, and never a secret.
func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"projects: {}":                                                                                   `f.yaml:1: unknown key "projects": did you mean "project"?`,
		"project: {secret: Canary-Horse}":                                                                "f.yaml:1: project: ",
		"project: {id: worker, secret: Canary-Horse}":                                                    "f.yaml:1: project: ",
		"project: {issuer: \"https://a.example/\"}":                                                      "f.yaml:1: project: the issuer must be",
		"project: {token_template: \"{\"}":                                                               "f.yaml:1: project: ",
		"m2m_clients:\n- {client_secret: Canary-Hors}":                                                   "f.yaml:2: m2m_clients[0].client_id: it is missing: choose an id",
		"m2m_clients: [{client_id: a}, {client_id: b, scopes: [\"a b\"]}]":                               "f.yaml:1: m2m_clients[1]: ",
		"m2m_clients:\n- client_id: a\n- client_id: b\n- client_id: a":                                   "f.yaml:4: m2m_clients[2].client_id: the id is used in line 2 already",
		"m2m_clients: [{client_id: a}]\nconnected_apps: [{client_id: a}]":                                "f.yaml:2: connected_apps[0].client_id: the id is used in line 1 already",
		"m2m_clients: [{client_id: a, client_secret: Canary1}]":                                          "f.yaml:1: m2m_clients[0]: ",
		"m2m_clients: [{client_id: a, client_secret: 12345678}]":                                         "f.yaml:1: m2m_clients[0].client_secret: ",
		"m2m_clients: [{client_id: a, status: deleted}]":                                                 "f.yaml:1: m2m_clients[0]: ",
		"connected_apps: [{client_id: a, client_type: other}]":                                           "f.yaml:1: connected_apps[0]: ",
		"connected_apps: [{client_id: a, redirect_urls: [nowhere]}]":                                     "f.yaml:1: connected_apps[0]: ",
		"connected_apps: [{client_id: a, client_type: third_party_public, client_secret: Canary-Horse}]": "f.yaml:1: connected_apps[0]: ",
		"behavior: {token_di: true}":                                                                     `f.yaml:1: behavior: unknown key "token_di": did you mean "token_id"?`,
		"behavior: {start_while_rotating: maybe}":                                                        "f.yaml: behavior: ",
		"behavior: {create_status: \"201\"}":                                                             "f.yaml:1: behavior.create_status: it must be a whole number, and is a text",
		"faults: [{kind: html}]":                                                                         "f.yaml:1: faults[0]: ",
		"faults: [drop_response]":                                                                        "f.yaml:1: faults[0]: ",
	} {
		_, err := seed.Parse("f.yaml", []byte(text))
		var located *strictyaml.Error
		if !errors.As(err, &located) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
			continue
		}
		if strings.Contains(err.Error(), "Canary") || strings.Contains(err.Error(), "12345678") || strings.Contains(err.Error(), "emulator: ") {
			t.Errorf("%s: the error shows too much: %v", text, err)
		}
	}
}

// Whatever is in a file, it is refused with a place, or an emulator starts with it.
func FuzzParse(f *testing.F) {
	f.Add(seed.Starter)
	f.Add("m2m_clients: [{client_id: a, scopes: [b], trusted_metadata: {c: 1}}]\nfaults: [{kind: html, status: 502}]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := seed.Parse("f.yaml", []byte(text))
		var located *strictyaml.Error
		if err != nil {
			if !errors.As(err, &located) {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		if _, err := emulator.New(append(s.Options(), s.Identity()...)...); err != nil {
			t.Fatal(err)
		}
	})
}
