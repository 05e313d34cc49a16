package emulator_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

func TestTokenTemplate(t *testing.T) {
	const template = `{
		"tenant": {{ client.trusted_metadata.tenant }}, "plan": "plan-{{client.trusted_metadata.limits.plan}}",
		"limits": {{ client.trusted_metadata.limits }}, "region": "{{ request.region }}", "raw": {{ request.region }},
		"absent": {{ client.trusted_metadata.nothing.here }}, "gone": "x{{ request.nothing }}", "secret": {{ request.client_secret }}, "fixed": [1, true]
	}`
	w := start(t, emulator.WithTokenTemplate(template), emulator.WithM2MClient(emulator.M2MClientSeed{
		ClientID: "x", Secret: workerSecret, Scopes: []string{"a"},
		Metadata: map[string]any{"tenant": `a "quoted" name`, "limits": map[string]any{"plan": 7, "big": json.Number("12345678901234567890")}},
	}))
	form := credentials("x", workerSecret)
	form.Set("region", `eu","sub":"other`)
	payload := claimsOf(t, w.token(form))
	want := map[string]string{
		"tenant": `"a \"quoted\" name"`, "plan": `"plan-7"`, "limits": `{"big":12345678901234567890,"plan":7}`,
		"region": `"eu\",\"sub\":\"other"`, "raw": `"eu\",\"sub\":\"other"`,
		"absent": `null`, "gone": `"x"`, "secret": `null`, "fixed": `[1,true]`, "sub": `"x"`, "scope": `"a"`,
	}
	for name, value := range want {
		if string(payload[name]) != value {
			t.Errorf("%s: %s, want %s", name, payload[name], value)
		}
	}
	if len(payload) != 9+7 {
		t.Errorf("%d claims: %s", len(payload), payload)
	}
}

// claimsOf decodes the payload of a token without checking its signature.
func claimsOf(t *testing.T, got reply) (claims map[string]json.RawMessage) {
	t.Helper()
	token := text(got.object(t), "access_token")
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no token, but status %d", got.status)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		t.Fatalf("the payload is not JSON: %s", payload)
	}
	return claims
}

func TestTokenTemplateRefuses(t *testing.T) {
	for text, rule := range map[string]string{
		"":                                     "JSON object",
		"x":                                    "JSON object",
		`[]`:                                   "JSON object",
		`{"a":{{ request.a }}`:                 "JSON object",
		`{"a":{{ request.a }`:                  "no }}",
		`{"a":{{ client.secret }}}`:            "placeholder",
		`{"a":{{ client.trusted_metadata }}}`:  "placeholder",
		`{"a":{{ client.trusted_metadata. }}}`: "placeholder",
		`{"a":{{ request.a.b }}}`:              "placeholder",
		`{"sub":{{ request.a }}}`:              "sub is reserved",
		`{"aud":["x"]}`:                        "aud is reserved",
	} {
		_, err := emulator.New(emulator.WithTokenTemplate(text))
		if !errors.Is(err, emulator.ErrInvalidArgument) || !strings.Contains(err.Error(), rule) {
			t.Errorf("%q: %v, want %q", text, err, rule)
		}
	}
}

func FuzzTokenTemplate(f *testing.F) {
	f.Add(`{"a":"{{ request.a }}","b":{{ client.trusted_metadata.k }}}`, `value"`)
	f.Add(`{"a\\":"\"{{request.a}}"}`, "\u2028")
	f.Fuzz(func(t *testing.T, template, value string) {
		e, err := emulator.New(emulator.WithTokenTemplate(template), emulator.WithM2MClient(emulator.M2MClientSeed{
			ClientID: "x", Secret: workerSecret, Metadata: map[string]any{"k": value},
		}))
		if err != nil {
			if !errors.Is(err, emulator.ErrInvalidArgument) && !strings.Contains(err.Error(), "seed") {
				t.Fatal(err)
			}
			return
		}
		form := credentials("x", workerSecret)
		form.Set("a", value)
		form.Set("grant_type", "client_credentials")
		project, _ := e.Credentials()
		r := httptest.NewRequest("POST", "/v1/public/"+project+"/oauth2/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		claims := claimsOf(t, reply{w.Code, w.Header(), w.Body.String()})
		if string(claims["sub"]) != `"x"` {
			t.Fatalf("the template changed sub to %s", claims["sub"])
		}
	})
}
