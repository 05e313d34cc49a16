package stytch_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/dump"
	"github.com/stytchkit/m2m/stytch"
	engine "github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/verify"
)

// used is what TestUsedValuesPrintNothing knows of one value that sends requests.
type used struct {
	value any
	use   func(ctx context.Context) error // it may fail: what counts is that it has sent something
}

// The buffers of a connection keep what went through them last. A value that was used, over real
// connections that are now idle, reveals none of it, whether the transport is its own or its
// caller's.
func TestUsedValuesPrintNothing(t *testing.T) {
	if !dump.Used {
		t.Skip("the race detector reports looks at values in use")
	}
	projectSecret, placeToken, delivered := newCanary(), newCanary(), newCanary()
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if strings.HasPrefix(r.URL.Path, "/v1/m2m/") {
			_, _ = io.WriteString(w, `{"status_code":200,"request_id":"r","m2m_client":{"client_id":"c","client_secret":"`+string(delivered)+`"}}`)
			return
		}
		_, _ = io.WriteString(w, `{"keys":[],"data":{"data":{"client_id":"c","client_secret":"`+string(delivered)+`"},"metadata":{"version":1}}}`)
	}))
	defer server.Close()
	given := &http.Transport{}
	defer given.CloseIdleConnections()
	token := func(context.Context) (secret.String, error) { return secret.New(string(placeToken)), nil }

	for name, client := range map[string]*http.Client{"own transport": nil, "given transport": {Transport: given}} {
		for what, make := range map[string]func() (used, error){
			"stytch.Client": func() (used, error) {
				options := []stytch.Option{stytch.WithBaseURL(server.URL)}
				if client != nil {
					options = append(options, stytch.WithHTTPClient(client))
				}
				c, err := stytch.New(canaryProject, string(projectSecret), options...)
				return used{c, func(ctx context.Context) error { _, err := c.M2M.Get(ctx, "c"); return err }}, err
			},
			"verify.Verifier": func() (used, error) {
				options := []verify.Option{verify.WithBaseURL(server.URL)}
				if client != nil {
					options = append(options, verify.WithHTTPClient(client))
				}
				v, err := verify.New(canaryProject, options...)
				return used{v, func(ctx context.Context) error { _, err := v.Verify(ctx, unsigned); return err }}, err
			},
			"deliver.Vault": func() (used, error) {
				v, err := deliver.Vault(deliver.VaultConfig{Address: server.URL, Mount: "kv", Path: func(id string) string { return id }, Token: token, HTTPClient: client})
				return used{v, func(ctx context.Context) error {
					return v.Deliver(ctx, engine.Delivery{ClientID: "c", Secret: secret.New(string(delivered))})
				}}, err
			},
			"deliver.Kubernetes": func() (used, error) {
				k, err := deliver.Kubernetes(deliver.KubernetesConfig{Address: server.URL, Namespace: "default", SecretName: func(id string) string { return id }, Token: token, HTTPClient: client})
				return used{k, func(ctx context.Context) error {
					return k.Deliver(ctx, engine.Delivery{ClientID: "c", Secret: secret.New(string(delivered))})
				}}, err
			},
		} {
			u, err := make()
			if err != nil {
				t.Fatalf("%s, %s: %v", what, name, err)
			}
			before := requests
			_ = u.use(t.Context())
			if requests == before {
				t.Errorf("%s, %s: nothing was sent: this test proves nothing", what, name)
			}
			text := dump.Text(u.value)
			for _, c := range []canary{projectSecret, placeToken, delivered} {
				if c.in(text) {
					t.Errorf("%s, %s: a used value shows a secret", what, name)
				}
			}
			if client != nil && what != "verify.Verifier" {
				if text := dump.Text(given); !projectSecret.in(text) && !placeToken.in(text) && !delivered.in(text) {
					t.Errorf("%s: the transport has buffered no secret: this test proves nothing", what)
				}
			}
		}
	}
}

// unsigned is a token of a key that no one has.
const unsigned = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.c2ln"
