package emulator_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/verify"
)

// The claims are those of the token endpoint.
func TestClaims(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	w := start(t, withWorker(emulator.WithClock(func() time.Time { return now }), emulator.WithIssuer("https://auth.example.com"),
		emulator.WithTokenTemplate(`{"team": {{ client.trusted_metadata.team }}, "x": "{{ request.x }}"}`))...)
	const id = "wor+ker 1"
	for _, scopes := range [][]string{nil, {"read:x"}, {"admin", "write:x"}} {
		form := credentials(id, workerSecret)
		form.Set("scope", strings.Join(scopes, " "))
		_, want := w.verify(text(w.token(form).object(t), "access_token"))
		claims, err := w.Claims(id, scopes...)
		data, _ := json.Marshal(claims)
		var got map[string]any
		if err != nil || json.Unmarshal(data, &got) != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %v, %v; want %v", scopes, got, err, want)
		}
	}
	if got := w.TokensMinted(""); got != 3 {
		t.Errorf("%d tokens: Claims counts", got)
	}
	for _, refused := range []struct {
		id, says string
		scopes   []string
	}{{"unknown", `no M2M client or Connected App has the ID "unknown"`, nil}, {id, `does not hold the scope "b"`, []string{"admin", "b"}}} {
		if _, err := w.Claims(refused.id, refused.scopes...); !errors.Is(err, emulator.ErrInvalidArgument) || !strings.Contains(err.Error(), refused.says) {
			t.Errorf("%s: %v", refused.id, err)
		}
	}
}

// A signed token of each kind passes a verifier.
func TestSignedClaimsVerify(t *testing.T) {
	w := start(t, withTwoClients()...)
	app := text(w.ok("POST", apps, `{"client_type":"third_party"}`), "connected_app", "client_id")
	w.ok("PUT", apps+"/"+app, `{"access_token_custom_audience":"https://api.example.com","access_token_expiry_minutes":5}`)
	for _, tt := range []struct {
		id     string
		scopes []string
		opts   []verify.Option
	}{
		{"worker", nil, []verify.Option{verify.WithClientIDs("worker")}},
		{app, []string{"openid", "read:x"}, []verify.Option{verify.WithConnectedApps(app), verify.WithAudiences("https://api.example.com")}},
	} {
		claims, err := w.Claims(tt.id, tt.scopes...)
		if err != nil {
			t.Fatal(err)
		}
		token, err := w.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		v, err := verify.New(w.ProjectID, append(tt.opts, verify.WithBaseURL(w.URL))...)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.Verify(t.Context(), token); err != nil || got.ClientID != tt.id {
			t.Errorf("%s: %v", tt.id, err)
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMintedBy(t *testing.T) {
	w := start(t, withWorker()...)
	id, secret := w.create(`{"scopes":["a"]}`)
	w.works("wor+ker 1", workerSecret)
	w.works(id, secret)
	w.works(id, secret)
	w.works(id, "wrong")
	w.ok("DELETE", clients+"/"+id, "")
	want := map[string]int{"wor+ker 1": 1, id: 2}
	got := w.MintedBy()
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	got[id] = 7 // a copy
	if w.TokensMinted(id) != 2 {
		t.Error("the bill is not a copy")
	}
}

func TestKeys(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	e := opened(t, emulator.WithClock(func() time.Time { return now }))
	if keys := e.Keys(); len(keys) != 0 {
		t.Errorf("%v before the first token", keys)
	}
	if _, err := e.Sign(nil); err != nil {
		t.Fatal(err)
	}
	first := e.Keys()
	if len(first) != 1 || !first[0].Current || !first[0].Created.Equal(now) {
		t.Fatalf("%v", first)
	}
	now = now.Add(time.Hour)
	second := e.RotateSigningKey()
	want := []emulator.Key{{ID: first[0].ID, Created: first[0].Created}, {ID: second, Created: now, Current: true}}
	if got := e.Keys(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A trusted caller needs no credentials, meets no fault, and is not logged; its changes are real.
func TestTrusted(t *testing.T) {
	m := &memory{}
	e := opened(t, emulator.WithStorage(m), emulator.WithFaults(emulator.Status("", 500)), emulator.WithObserver(func(emulator.Request) { t.Error("observed") }))
	saves := m.saves()
	trusted := e.Trusted()
	send := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		trusted.ServeHTTP(w, r)
		return w
	}
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", clients, `{"scopes":[],"client_id":"x"}`, 200}, {"GET", clients + "/x", "", 200}, {"GET", clients + "/y", "", 404},
		{"POST", clients + "/search", "{}", 200}, {"GET", "/health", "", 200}, {"GET", "/nothing", "", 404}, {"PATCH", clients, "", 405},
	} {
		if got := send(tt.method, tt.path, tt.body); got.Code != tt.status {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, got.Code, tt.status)
		}
	}
	if len(e.Requests()) != 0 || e.Faults()[0].Seen != 0 || m.saves() != saves+1 {
		t.Errorf("%d requests, %d for the fault, %d calls of Save", len(e.Requests()), e.Faults()[0].Seen, m.saves()-saves)
	}
	for r := range e.Records() {
		if r.Kind == "m2m_client" && r.ID == "x" {
			return
		}
	}
	t.Error("the client that a trusted caller created is missing")
}
