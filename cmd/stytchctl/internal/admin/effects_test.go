package admin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// Export and import move everything but the secrets.
func TestExportAndImport(t *testing.T) {
	w := start(t)
	w.token()
	call[admin.Clock](w, "PUT", "/clock", `{"advance":"1h"}`, 200)
	call[admin.BehaviorList](w, "PATCH", "/behavior", `{"token_id":true}`, 200)
	_, created := w.stytch("POST", "/v1/m2m/clients", `{"scopes":[],"client_name":"made later"}`)
	made := created["m2m_client"].(map[string]any)
	state := w.do("GET", "/state", "").Body.String()
	for what, secret := range map[string]string{
		"the project's secret": seed.DefaultSecret, "a seed's secret": "Correct-Horse-9", "a new secret": made["client_secret"].(string),
		"a private key": "pkcs8",
	} {
		if strings.Contains(state, secret) {
			t.Errorf("the export holds %s", what)
		}
	}

	other := start(t)
	call[admin.ActiveFault](other, "POST", "/faults", `{"kind":"reset","operation":"SearchM2MClients"}`, 200)
	summary := call[admin.Summary](other, "PUT", "/state", state, 200)
	if summary.M2MClients != 2 || summary.ConnectedApps != 1 || summary.Faults != 1 {
		t.Errorf("after the import: %+v", summary)
	}
	if status, body := other.token(); status != 200 {
		t.Errorf("the client's secret does not work: %d %v", status, body)
	}
	if bill := call[admin.Bill](other, "GET", "/bill", "", 200); bill.Tokens["worker"] != 2 || bill.Total != 2 {
		t.Errorf("the bill: %+v", bill)
	}
	if c := call[admin.Clock](other, "GET", "/clock", "", 200); c.Offset != "1h0m0s" {
		t.Errorf("the clock: %+v", c)
	}
	if status, _ := other.stytch("GET", "/v1/m2m/clients/"+made["client_id"].(string), ""); status != 200 {
		t.Errorf("the new client: %d", status)
	}
	if b := call[admin.BehaviorList](other, "GET", "/behavior", "", 200); value(b, "token_id") != true {
		t.Errorf("token_id is %v", value(b, "token_id"))
	}
}

func value(b admin.BehaviorList, name string) any {
	for _, f := range b.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// A state that cannot be used changes nothing.
func TestImportIsAtomic(t *testing.T) {
	w := start(t)
	var state admin.State
	if err := json.Unmarshal(w.do("GET", "/state", "").Body.Bytes(), &state); err != nil {
		t.Fatal(err)
	}
	for i := range state.Records {
		if state.Records[i].Kind == "m2m_client" {
			state.Records[i].Value = []byte(`{"seq":"one"}`)
		}
	}
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	refused := call[admin.Error](w, "PUT", "/state", string(text), 400)
	if !strings.Contains(refused.ErrorMessage, "m2m_client") || !strings.Contains(refused.ErrorMessage, "worker") {
		t.Errorf("%q does not name the record", refused.ErrorMessage)
	}
	if status, _ := w.token(); status != 200 {
		t.Errorf("a token after the refusal: %d", status)
	}
	live := strings.Replace(w.do("GET", "/state", "").Body.String(), "project-test-", "project-live-", 1)
	call[admin.Error](w, "PUT", "/state", live, 409)
}

func TestReset(t *testing.T) {
	w := start(t)
	w.token()
	call[admin.Clock](w, "PUT", "/clock", `{"advance":"1h"}`, 200)
	call[admin.Faults](w, "GET", "/faults", "", 200)
	kept := call[admin.Keys](w, "POST", "/keys/rotate", "", 200).Keys
	w.stytch("DELETE", "/v1/m2m/clients/worker", "")
	w.stytch("GET", "/v1/connected_apps/clients/portal", "") // strikes the seed's fault

	summary := call[admin.Summary](w, "POST", "/reset", `{"to":"seed","keep":["keys","faults"]}`, 200)
	if summary.M2MClients != 1 || summary.ConnectedApps != 1 || summary.Keys != 2 || summary.Faults != 1 {
		t.Errorf("after the reset to the seed: %+v", summary)
	}
	if keys := call[admin.Keys](w, "GET", "/keys", "", 200).Keys; fmt.Sprint(keys) != fmt.Sprint(kept) {
		t.Errorf("keys %v, want %v", keys, kept)
	}
	if f := call[admin.Faults](w, "GET", "/faults", "", 200).Faults[0]; f.Struck != 1 || *f.Left != 1 {
		t.Errorf("the fault that was kept: %+v", f)
	}
	if c := call[admin.Clock](w, "GET", "/clock", "", 200); !c.Real {
		t.Errorf("the clock: %+v", c)
	}
	if n := call[admin.Requests](w, "GET", "/requests", "", 200); len(n.Requests) != 0 {
		t.Errorf("%d requests in the log", len(n.Requests))
	}
	if bill := call[admin.Bill](w, "GET", "/bill", "", 200); bill.Total != 0 {
		t.Errorf("the bill: %+v", bill)
	}
	if status, _ := w.token(); status != 200 {
		t.Errorf("a token of the seed's client: %d", status)
	}

	summary = call[admin.Summary](w, "POST", "/reset", `{"to":"empty"}`, 200)
	if summary.M2MClients != 0 || summary.ConnectedApps != 0 || summary.Faults != 0 {
		t.Errorf("after the reset to nothing: %+v", summary)
	}
	if status, _ := w.stytch("POST", "/v1/m2m/clients/search", `{}`); status != 200 {
		t.Errorf("the credentials after a reset: %d", status)
	}
	summary = call[admin.Summary](w, "POST", "/reset", `{"to":"seed"}`, 200)
	if summary.M2MClients != 1 || summary.Faults != 1 || summary.Keys > 1 {
		t.Errorf("after the second reset to the seed: %+v", summary)
	}
}

func TestRequestsHaveReasons(t *testing.T) {
	w := start(t)
	w.token()
	w.stytch("GET", "/v1/m2m/client/worker", "")
	list := call[admin.Requests](w, "GET", "/requests", "", 200)
	if len(list.Requests) != 2 || list.Last != 2 {
		t.Fatalf("the log: %+v", list)
	}
	good, bad := list.Requests[0], list.Requests[1]
	if good.Operation != "IssueM2MToken" || good.Status != 200 || good.Reason != "" || good.ClientID != "worker" || good.DurationMs <= 0 {
		t.Errorf("the token request: %+v", good)
	}
	if bad.Status != 404 || bad.ErrorType != "route_not_found" || !strings.Contains(bad.Reason, "/v1/m2m/clients/{client_id}") {
		t.Errorf("the unknown route: %+v", bad)
	}
	for body, want := range map[string]int{
		`{}`: 2, `{"after":1}`: 1, `{"status":404}`: 1, `{"operation":"IssueM2MToken"}`: 1, `{"client_id":"worker"}`: 1,
		`{"method":"GET"}`: 1, `{"error_type":"route_not_found"}`: 1, `{"status":0}`: 0,
	} {
		if c := call[admin.Count](w, "POST", "/requests/count", body, 200); c.Count != want || !c.Complete {
			t.Errorf("count %s: %+v, want %d", body, c, want)
		}
	}
	if list := call[admin.Requests](w, "GET", "/requests?after=1&status=404&limit=5", "", 200); len(list.Requests) != 1 {
		t.Errorf("filtered: %+v", list)
	}
}

// Each preset makes a token that its name describes.
func TestPresets(t *testing.T) {
	w := start(t)
	now := float64(time.Now().Unix())
	for preset, broken := range map[string]func(header, claims map[string]any) bool{
		"": func(_, c map[string]any) bool {
			return c["scope"] == "read:users write:invoices" && c["exp"].(float64) > now
		},
		"expired":     func(_, c map[string]any) bool { return c["exp"].(float64) < now },
		"not_yet":     func(_, c map[string]any) bool { return c["nbf"].(float64) > now+3000 },
		"wrong_aud":   func(_, c map[string]any) bool { return c["aud"].([]any)[0] != seed.DefaultProjectID },
		"wrong_iss":   func(_, c map[string]any) bool { return c["iss"] != "stytch.com/"+seed.DefaultProjectID },
		"no_scope":    func(_, c map[string]any) bool { return c["scope"] == "" },
		"unknown_kid": func(h, _ map[string]any) bool { return h["kid"] != currentKey(w) },
		"user_session": func(_, c map[string]any) bool {
			return strings.HasPrefix(c["sub"].(string), "user-test-") && c["https://stytch.com/session"] != nil
		},
	} {
		t.Run(preset, func(t *testing.T) {
			w.T = t
			minted := call[admin.MintedToken](w, "POST", "/tokens", `{"client_id":"worker","preset":"`+preset+`"}`, 200)
			header, claims := decodeToken(t, minted.AccessToken)
			if !broken(header, claims) {
				t.Errorf("header %v, claims %v", header, claims)
			}
		})
	}
	if bill := call[admin.Bill](w, "GET", "/bill", "", 200); bill.Total != 0 {
		t.Errorf("minted tokens are billed: %+v", bill)
	}
	own := call[admin.MintedToken](w, "POST", "/tokens", `{"claims":{"sub":"anyone","n":1.5}}`, 200)
	if _, claims := decodeToken(t, own.AccessToken); claims["sub"] != "anyone" || claims["n"] != 1.5 || len(claims) != 2 {
		t.Errorf("claims %v", claims)
	}
}

func currentKey(w *world) string {
	for _, k := range call[admin.Keys](w, "GET", "/keys", "", 200).Keys {
		if k.Current {
			return k.ID
		}
	}
	return ""
}

// A stream goes on after Last-Event-ID, and then follows.
func TestStream(t *testing.T) {
	w := start(t)
	server := httptest.NewServer(w.handler)
	defer server.Close()
	for range 3 {
		w.stytch("GET", "/v1/m2m/clients/worker", "")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	lines := w.stream(ctx, server.URL, "1")
	for _, id := range []string{"2", "3"} {
		if got := next(t, lines); got.id != id || got.request.Status != 200 {
			t.Fatalf("event %+v, want id %s", got, id)
		}
	}
	w.token()
	if got := next(t, lines); got.id != "4" || got.request.Operation != "IssueM2MToken" {
		t.Fatalf("event %+v", got)
	}
	call[admin.Error](w, "GET", "/requests/none", "", 400)
	var open []*bufio.Scanner
	for range 15 {
		open = append(open, w.stream(ctx, server.URL, ""))
	}
	if recorder := w.do("GET", "/requests/stream", ""); recorder.Code != 429 {
		t.Errorf("the seventeenth stream: status %d", recorder.Code)
	}
	close(w.ending)
	for _, lines := range append(open, lines) {
		for lines.Scan() { // until the server ends it
		}
		if err := lines.Err(); err != nil {
			t.Errorf("the stream did not end in good order: %v", err)
		}
	}
}
