package emulator_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
)

const workerSecret = "p+r%20 w:ö&rd="

func withWorker(opts ...emulator.Option) []emulator.Option {
	return append(opts, emulator.WithM2MClient(emulator.M2MClientSeed{
		ClientID: "wor+ker 1", Secret: workerSecret, Scopes: []string{"write:x", "read:x", "admin"},
	}))
}

func TestTokenRequests(t *testing.T) {
	w := start(t, withWorker()...)
	const id, secret = "wor+ker 1", workerSecret
	form := func(pairs ...string) string {
		values := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			values.Add(pairs[i], pairs[i+1])
		}
		return values.Encode()
	}
	good := form("grant_type", "client_credentials", "client_id", id, "client_secret", secret)
	object := func(fields map[string]any) string { data, _ := json.Marshal(fields); return string(data) }
	const formType, jsonType = "application/x-www-form-urlencoded", "application/json"
	grant := "grant_type=client_credentials"
	tests := []struct {
		name, mediaType, body, auth string
		kind                        string // empty for a token
	}{
		{"form", formType, good, "", ""},
		{"form with charset", formType + "; charset=utf-8", good, "", ""},
		{"JSON", jsonType, object(map[string]any{"grant_type": "client_credentials", "client_id": id, "client_secret": secret}), "", ""},
		{"JSON with charset and an extra list", jsonType + ";charset=UTF-8", object(map[string]any{"grant_type": "client_credentials", "client_id": id, "client_secret": secret, "x": []int{1}}), "", ""},
		{"JSON with the project's credentials beside", jsonType, object(map[string]any{"grant_type": "client_credentials", "client_id": id, "client_secret": secret, "scope": ""}), basicHeader(w.ProjectID + ":" + w.Secret), ""},
		{"extra parameter", formType, good + "&tenant=x", "", ""},
		{"Basic as it is", formType, grant, basicHeader(id + ":" + secret), ""},
		{"Basic escaped like a form", formType, grant, basicHeader(url.QueryEscape(id) + ":" + url.QueryEscape(secret)), ""},
		{"Basic beside the id in the body", formType, form("grant_type", "client_credentials", "client_id", id), basicHeader(id + ":" + secret), ""},
		{"Basic beside another id", formType, form("grant_type", "client_credentials", "client_id", "x"), basicHeader(id + ":" + secret), "invalid_client"},
		{"the body wins over Basic", formType, form("grant_type", "client_credentials", "client_id", id, "client_secret", "wrong-secret"), basicHeader(id + ":" + secret), "invalid_client"},
		{"malformed header beside a good body", formType, good, "Basic ***", ""},
		{"malformed header", formType, grant, "Basic ***", "invalid_client"},
		{"no credentials", formType, grant, "", "invalid_client"},
		{"project's credentials alone", formType, grant, basicHeader(w.ProjectID + ":" + w.Secret), "invalid_client"},
		{"wrong secret", formType, strings.Replace(good, "rd", "rt", 1), "", "invalid_client"},
		{"unknown client", formType, form("grant_type", "client_credentials", "client_id", "unknown", "client_secret", secret), "", "invalid_client"},
		{"secret without id", formType, form("grant_type", "client_credentials", "client_secret", secret), "", "invalid_client"},
		{"no grant type", formType, form("client_id", id, "client_secret", secret), "", "invalid_request"},
		{"other grant type", formType, form("grant_type", "authorization_code", "client_id", id, "client_secret", secret), "", "unsupported_grant_type"},
		{"repeated parameter", formType, good + "&client_id=x", "", "invalid_request"},
		{"repeated extra parameter", formType, good + "&x=1&x=2", "", "invalid_request"},
		{"broken escape", formType, good + "&x=%zz", "", "invalid_request"},
		{"semicolon in a form", formType, good + ";x", "", "invalid_request"},
		{"empty form", formType, "", "", "invalid_request"},
		{"number in JSON", jsonType, `{"grant_type":1}`, "", "invalid_request"},
		{"broken JSON", jsonType, `{`, "", "invalid_request"},
		{"null in JSON", jsonType, `{"grant_type":null}`, "", "invalid_request"},
		{"no media type", "", good, "", "invalid_request"},
		{"other media type", "text/plain", good, "", "invalid_request"},
		{"JSON called a form", formType, `{"grant_type":"client_credentials"}`, "", "invalid_request"},
		{"unheld scope", formType, good + "&scope=read:x+delete:x", "", "invalid_scope"},
		{"scope in another case", formType, good + "&scope=ADMIN", "", "invalid_scope"},
	}
	minted := 0
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status := 400
			if tt.kind == "" {
				status, minted = 200, minted+1
			}
			edits := []edit{noAuth, header("Content-Type", tt.mediaType)}
			if tt.mediaType == "" {
				edits[1] = func(r *http.Request) { r.Header.Del("Content-Type") }
			}
			if tt.auth != "" {
				edits = append(edits, authorization(tt.auth))
			}
			(&harness{w.Server, t}).expect(status, tt.kind, "POST", "/v1/public/"+w.ProjectID+"/oauth2/token", tt.body, edits...)
		})
	}
	if got := w.TokensMinted(id); got != minted || w.TokensMinted("") != minted || w.TokensMinted("unknown") != 0 {
		t.Errorf("%d tokens counted, want %d", got, minted)
	}
}

func TestTokenErrorByteForByte(t *testing.T) {
	want := `{"status_code":400,"request_id":"R","error":"invalid_client","error_description":"The client credentials are not valid.",` +
		`"error_uri":"https://stytch.com/docs/api/errors/400#invalid_client"}`
	if got := anonymous(start(t).token(credentials("a", "b")).body); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTokenResponseAndClaims(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 999e6, time.UTC)
	w := start(t, withWorker(emulator.WithClock(func() time.Time { return now }), emulator.WithProject("project-test-1", "secret-test-1"))...)
	for asked, granted := range map[string]string{
		"": "write:x read:x admin", " ": "write:x read:x admin", "admin": "admin",
		"read:x write:x": "read:x write:x", "  write:x   admin ": "write:x admin",
	} {
		form := credentials("wor+ker 1", workerSecret)
		form.Set("scope", asked)
		got := w.token(form)
		resp := got.object(t)
		token := text(resp, "access_token")
		want := `{"access_token":"` + token + `","expires_in":3600,"request_id":"R","status_code":200,"token_type":"bearer"}`
		if anonymous(got.body) != want {
			t.Fatal("the response is not in the documented form")
		}
		head, claims := w.verify(token)
		if keys := slices.Sorted(mapKeys(head)); !slices.Equal(keys, []string{"alg", "kid", "typ"}) || head["alg"] != "RS256" || head["typ"] != "JWT" {
			t.Errorf("header %v", head)
		}
		issued := float64(now.Unix())
		if expected := map[string]any{
			"sub": "wor+ker 1", "iss": "stytch.com/project-test-1", "aud": []any{"project-test-1"}, "scope": granted,
			"iat": issued, "nbf": issued, "exp": issued + 3600,
		}; !reflect.DeepEqual(claims, expected) {
			t.Errorf("claims %v, want %v", claims, expected)
		}
	}
}

func mapKeys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

// verify checks a token with crypto/rsa and the served key set only.
func (w *harness) verify(token string) (head, claims map[string]any) {
	w.t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		w.t.Fatal("not a compact token")
	}
	part := func(i int) []byte {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			w.t.Fatal(err)
		}
		return data
	}
	if json.Unmarshal(part(0), &head) != nil || json.Unmarshal(part(1), &claims) != nil {
		w.t.Fatal("header or claims are no objects")
	}
	key := w.keySet()[text(head, "kid")]
	if key == nil {
		w.t.Fatalf("the key %v is not listed", head["kid"])
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], part(2)); err != nil {
		w.t.Fatal(err)
	}
	return head, claims
}

// keySet reads the listed keys from both addresses.
func (w *harness) keySet() map[string]*rsa.PublicKey {
	w.t.Helper()
	var set struct {
		Keys []struct {
			Kty, Use, Alg, Kid, N, E string
			KeyOps                   []string `json:"key_ops"`
			X5C                      []string `json:"x5c"`
			Thumbprint               *string  `json:"x5tS256"`
		}
	}
	got := w.expect(200, "", "GET", "/v1/sessions/jwks/"+w.ProjectID, "", noAuth)
	if b2b := w.expect(200, "", "GET", "/v1/b2b/sessions/jwks/"+w.ProjectID, "", noAuth); anonymous(b2b.body) != anonymous(got.body) {
		w.t.Error("the two addresses list different keys")
	}
	if err := json.Unmarshal([]byte(got.body), &set); err != nil {
		w.t.Fatal(err)
	}
	keys := map[string]*rsa.PublicKey{}
	for _, key := range set.Keys {
		if key.Kty != "RSA" || key.Use != "sig" || key.Alg != "RS256" || !slices.Equal(key.KeyOps, []string{"verify"}) || key.X5C == nil || key.Thumbprint == nil {
			w.t.Errorf("the key %s is not described as it should be", key.Kid)
		}
		n, nErr := base64.RawURLEncoding.DecodeString(key.N)
		e, eErr := base64.RawURLEncoding.DecodeString(key.E)
		if nErr != nil || eErr != nil {
			w.t.Fatal("a key that is not base64url")
		}
		keys[key.Kid] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	}
	return keys
}

func TestSigningKeysRotate(t *testing.T) {
	w := start(t, withWorker()...)
	token := func() string { return text(w.token(credentials("wor+ker 1", workerSecret)).object(t), "access_token") }
	old := token()
	oldHead, _ := w.verify(old)
	kid := w.RotateSigningKey()
	fresh := token()
	if head, _ := w.verify(fresh); head["kid"] != kid || kid == oldHead["kid"] {
		t.Error("the new key does not sign")
	}
	w.verify(old)
	if len(w.keySet()) != 2 {
		t.Errorf("%d keys listed", len(w.keySet()))
	}
	if w.RetireSigningKey(kid) == nil || w.RetireSigningKey("jwk-test-0") == nil {
		t.Error("the current key or an unknown one can be retired")
	}
	if err := w.RetireSigningKey(text(oldHead, "kid")); err != nil {
		t.Error(err)
	}
	if keys := w.keySet(); len(keys) != 1 || keys[kid] == nil {
		t.Error("the retired key is still listed")
	}
	w.verify(fresh)
}

func TestPinnedSigningKeyHasAPinnedID(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	one, two := start(t, emulator.WithSigningKey(key)), start(t, emulator.WithSigningKey(key))
	if !reflect.DeepEqual(one.keySet(), two.keySet()) {
		t.Error("the same key is listed differently")
	}
	for kid, public := range one.keySet() {
		if !strings.HasPrefix(kid, "jwk-test-") || !public.Equal(&key.PublicKey) {
			t.Error("another key is listed")
		}
	}
}

func TestSignSignsAnything(t *testing.T) {
	w := start(t)
	token, err := w.Sign(map[string]any{"sub": "x", "exp": 1, "aud": "other"})
	if err != nil {
		t.Fatal(err)
	}
	if _, claims := w.verify(token); !reflect.DeepEqual(claims, map[string]any{"sub": "x", "exp": 1.0, "aud": "other"}) {
		t.Errorf("claims %v", claims)
	}
	if _, err := w.Sign(map[string]any{"x": func() {}}); err == nil {
		t.Error("a function was signed")
	}
}

func TestIssuerOfACustomDomain(t *testing.T) {
	w := start(t, withWorker(emulator.WithIssuer("https://auth.example.com"))...)
	_, claims := w.verify(text(w.token(credentials("wor+ker 1", workerSecret)).object(t), "access_token"))
	if claims["iss"] != "https://auth.example.com" {
		t.Errorf("iss %v", claims["iss"])
	}
}

func TestTokenResponsesAreNotStored(t *testing.T) {
	w := start(t, withWorker(emulator.WithFaults(emulator.Status("IssueM2MToken", 503).After(2).Times(1)))...)
	path := "/v1/public/" + w.ProjectID + "/oauth2/token"
	for name, got := range map[string]reply{
		"success":         w.token(credentials("wor+ker 1", workerSecret)),
		"refusal":         w.token(credentials("wor+ker 1", "wrong")),
		"fault":           w.token(credentials("wor+ker 1", workerSecret)),
		"unknown project": w.call("POST", "/v1/public/project-test-0/oauth2/token", ""),
		"wrong method":    w.call("GET", path, ""),
	} {
		if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Pragma") != "no-cache" {
			t.Errorf("%s: %v", name, got.header)
		}
	}
	if got := w.call("GET", clients+"/x", ""); got.header.Get("Cache-Control") != "" {
		t.Errorf("another operation: %v", got.header)
	}
}
