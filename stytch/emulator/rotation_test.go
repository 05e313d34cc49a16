package emulator_test

import (
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

func (w *harness) startRotation(id string) string {
	w.t.Helper()
	return text(w.ok("POST", clients+"/"+id+"/secrets/rotate/start", ""), "m2m_client", "next_client_secret")
}

// lastFours reads both last_four fields.
func (w *harness) lastFours(path, family string) (current, next any) {
	w.t.Helper()
	client := w.ok("GET", path, "")
	return at(client, family, "client_secret_last_four"), at(client, family, "next_client_secret_last_four")
}

func TestRotationCompleted(t *testing.T) {
	w := start(t)
	id, old := w.create(`{"scopes":["a"]}`)
	next := w.startRotation(id)
	if len(next) != 48 || next == old {
		t.Error("the next secret is not a new one")
	}
	if current, pending := w.lastFours(clients+"/"+id, "m2m_client"); current != old[44:] || pending != next[44:] {
		t.Error("the last four characters are not those of the two secrets")
	}
	if !w.works(id, old) || !w.works(id, next) {
		t.Error("both secrets should work while the rotation is open")
	}
	w.expect(400, "m2m_client_already_rotating_secret", "POST", clients+"/"+id+"/secrets/rotate/start", "")
	if !w.works(id, next) {
		t.Error("the refused start changed the next secret")
	}
	resp := w.ok("POST", clients+"/"+id+"/secrets/rotate", "")
	if at(resp, "m2m_client", "client_secret") != nil || at(resp, "m2m_client", "next_client_secret") != nil {
		t.Error("completing a rotation shows a secret")
	}
	if current, pending := w.lastFours(clients+"/"+id, "m2m_client"); current != next[44:] || pending != nil {
		t.Error("the next secret did not become the current one")
	}
	if w.works(id, old) || !w.works(id, next) {
		t.Error("after the rotation only the new secret should work")
	}
}

func TestRotationCanceled(t *testing.T) {
	w := start(t)
	id, old := w.create(`{"scopes":["a"]}`)
	next := w.startRotation(id)
	w.ok("POST", clients+"/"+id+"/secrets/rotate/cancel", "")
	if current, pending := w.lastFours(clients+"/"+id, "m2m_client"); current != old[44:] || pending != nil {
		t.Error("the rotation is not undone")
	}
	if !w.works(id, old) || w.works(id, next) {
		t.Error("after canceling only the old secret should work")
	}
	again := w.startRotation(id)
	if again == next || w.works(id, next) || !w.works(id, again) {
		t.Error("the second rotation does not have a secret of its own")
	}
}

func TestRotationRefused(t *testing.T) {
	w := start(t)
	id, _ := w.create(`{"scopes":["a"]}`)
	for _, step := range []string{"", "/cancel"} {
		w.expect(400, "m2m_client_not_rotating_secret", "POST", clients+"/"+id+"/secrets/rotate"+step, "")
		w.expect(400, "bad_request", "POST", clients+"/"+id+"/secrets/rotate"+step, "[]")
	}
	for _, step := range []string{"", "/cancel", "/start"} {
		w.expect(404, "m2m_client_not_found", "POST", clients+"/unknown/secrets/rotate"+step, "")
		w.expect(404, "connected_app_not_found", "POST", apps+"/unknown/secrets/rotate"+step, "")
	}
}

func TestRotationOfAnInactiveClient(t *testing.T) {
	w := start(t, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "x", Secret: "Correct-Horse-9", Scopes: []string{"a"}, Status: "inactive"}))
	next := w.startRotation("x")
	if w.works("x", "Correct-Horse-9") || w.works("x", next) {
		t.Error("an inactive client gets a token")
	}
	w.ok("PUT", clients+"/x", `{"status":"active"}`)
	if !w.works("x", "Correct-Horse-9") || !w.works("x", next) {
		t.Error("an active client gets no token")
	}
}

func TestConnectedAppRotation(t *testing.T) {
	w := start(t)
	app := at(w.ok("POST", apps, `{"client_type":"third_party"}`), "connected_app")
	id, old := text(app, "client_id"), text(app, "client_secret")
	path := apps + "/" + id
	started := at(w.ok("POST", path+"/secrets/rotate/start", "{}"), "connected_app")
	next := text(started, "next_client_secret")
	if len(next) != 48 || text(started, "client_secret_last_four") != old[44:] || text(started, "next_client_secret_last_four") != next[44:] {
		t.Error("the response does not show both secrets")
	}
	w.expect(400, "connected_app_already_rotating_secret", "POST", path+"/secrets/rotate/start", "")
	if done := at(w.ok("POST", path+"/secrets/rotate", ""), "connected_app"); at(done, "next_client_secret") != nil || at(done, "client_secret") != nil {
		t.Error("completing a rotation shows a secret")
	}
	if current, pending := w.lastFours(path, "connected_app"); current != next[44:] || pending != nil {
		t.Error("the next secret did not become the current one")
	}
	for _, step := range []string{"", "/cancel"} {
		w.expect(400, "connected_app_not_rotating_secret", "POST", path+"/secrets/rotate"+step, "")
	}
	w.ok("POST", path+"/secrets/rotate/start", "")
	w.ok("POST", path+"/secrets/rotate/cancel", "")
	if current, pending := w.lastFours(path, "connected_app"); current != next[44:] || pending != nil {
		t.Error("the rotation is not undone")
	}
}

func TestPublicConnectedAppsHaveNoSecret(t *testing.T) {
	w := start(t)
	for _, clientType := range []string{"first_party_public", "third_party_public"} {
		app := at(w.ok("POST", apps, `{"client_type":"`+clientType+`"}`), "connected_app")
		if _, shown := app.(map[string]any)["client_secret"]; shown || at(app, "client_secret_last_four") != nil {
			t.Errorf("%s has a secret", clientType)
		}
		for _, step := range []string{"/start", "/cancel", ""} {
			w.expect(400, "public_connected_apps_do_not_have_secrets", "POST", apps+"/"+text(app, "client_id")+"/secrets/rotate"+step, "")
		}
	}
}
