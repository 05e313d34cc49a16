package verify_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/verify"
)

func ExampleVerifier_Require() {
	local, err := emulator.Start() // in production: Stytch
	if err != nil {
		panic(err)
	}
	defer local.Close()
	v, err := verify.New(local.ProjectID, verify.WithBaseURL(local.URL))
	if err != nil {
		panic(err)
	}
	defer v.Close()

	mux := http.NewServeMux()
	mux.Handle("GET /users", v.Require("read:users")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := verify.ClaimsFromContext(r.Context())
		fmt.Fprint(w, "hello ", claims.ClientID)
	})))

	now := time.Now().Unix()
	for _, scope := range []string{"read:users", "read:invoices", ""} {
		r := httptest.NewRequest(http.MethodGet, "/users", nil)
		if scope != "" {
			token, err := local.Sign(map[string]any{
				"sub": "m2m-client-test-1", "iss": "stytch.com/" + local.ProjectID, "aud": []string{local.ProjectID},
				"iat": now, "nbf": now, "exp": now + 3600, "scope": scope,
			})
			if err != nil {
				panic(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
		if challenge := w.Header().Get("WWW-Authenticate"); challenge != "" {
			fmt.Println(challenge)
		}
	}
	// Output:
	// 200 hello m2m-client-test-1
	// 403 {"error":"insufficient_scope","error_description":"The access token lacks a scope."}
	// Bearer realm="api", error="insufficient_scope", error_description="The access token lacks a scope.", scope="read:users"
	// 401 {"error":"unauthorized","error_description":"An access token is required."}
	// Bearer realm="api", scope="read:users"
}

// Every refused request leaves a line in the log, and a counter for the dashboard.
func ExampleWithObserver() {
	local, err := emulator.Start() // in production: Stytch
	if err != nil {
		panic(err)
	}
	defer local.Close()
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	v, err := verify.New(local.ProjectID, verify.WithBaseURL(local.URL), verify.WithObserver(func(ctx context.Context, e verify.Event) {
		switch e.Kind {
		case verify.TokenRefused:
			logger.WarnContext(ctx, "token refused", "reason", e.Refusal.Reason, "client", e.Refusal.ClientID, "err", e.Err)
		case verify.KeySetFetched:
			if e.Err != nil {
				logger.ErrorContext(ctx, "keys not fetched", "err", e.Err, "failures", e.Failures)
			}
		}
	}))
	if err != nil {
		panic(err)
	}
	defer v.Close()

	now := time.Now().Unix()
	token, err := local.Sign(map[string]any{
		"sub": "billing", "iss": "stytch.com/" + local.ProjectID, "aud": []string{local.ProjectID},
		"iat": now, "nbf": now, "exp": now + 3600, "scope": "read:invoices",
	})
	if err != nil {
		panic(err)
	}
	users := v.Require("read:users")(http.NotFoundHandler())
	r := httptest.NewRequest(http.MethodGet, "/users", nil)
	users.ServeHTTP(httptest.NewRecorder(), r)
	r.Header.Set("Authorization", "Bearer "+token)
	users.ServeHTTP(httptest.NewRecorder(), r)
	fmt.Println(v.Stats().Refused)
	// Output:
	// level=WARN msg="token refused" reason=no_token client="" err="verify: no access token"
	// level=WARN msg="token refused" reason=scope client=billing err="verify: scope missing: a required scope was not granted"
	// map[no_token:1 scope:1]
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func ExampleVerifier_Protect() {
	v, err := verify.New("project-test-00000000-0000-4000-8000-000000000001")
	if err != nil {
		panic(err)
	}
	defer v.Close()
	protect := v.Protect(verify.Protection{
		Scopes: []string{"write:payments"},
		Checks: []verify.Check{verify.MaxAge(5 * time.Minute)},
		Realm:  "payments",
		Refuse: func(w http.ResponseWriter, r *http.Request, status int, err error) {
			fmt.Println("refused:", r.URL.Path, err)
			http.Error(w, "no", status)
		},
	})
	payments := protect(http.NotFoundHandler())
	payments.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/payments", nil))
	// Output: refused: /payments verify: no access token
}
