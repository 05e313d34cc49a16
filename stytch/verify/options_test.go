package verify_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/verify"
)

func TestNewRefuses(t *testing.T) {
	k := newSigner(t)
	for name, test := range map[string]struct {
		projectID string
		options   []verify.Option
		want      string
	}{
		"no project":            {"", nil, "New: project id must not be empty"},
		"a secret":              {"secret-test-" + canary, nil, "New: project id must not be a secret"},
		"a path":                {"project-test-1/../" + canary, nil, "New: project id must be project-test- or project-live-"},
		"nil option":            {project, []verify.Option{nil}, "New: option 1 is nil"},
		"issuer without scheme": {project, []verify.Option{verify.WithIssuers("login.example.com")}, "WithIssuers: URL must begin with https://"},
		"issuer without host":   {project, []verify.Option{verify.WithIssuers("https://")}, "WithIssuers: URL must have a host"},
		"issuer with slash":     {project, []verify.Option{verify.WithIssuers("https://login.example.com/")}, "WithIssuers: an issuer must end after its host"},
		"issuer with path":      {project, []verify.Option{verify.WithIssuers("https://login.example.com/a")}, "WithIssuers: an issuer must end after its host"},
		"issuer not https":      {project, []verify.Option{verify.WithIssuers("http://login.example.com")}, "WithIssuers: URL must be https"},
		"issuer with user":      {project, []verify.Option{verify.WithIssuers("https://u:" + canary + "@h")}, "WithIssuers: URL must not have user info"},
		"empty issuer":          {project, []verify.Option{verify.WithIssuers("")}, "WithIssuers: URL must begin"},
		"no audience":           {project, []verify.Option{verify.WithAudiences()}, "WithAudiences: name at least one audience"},
		"empty audience":        {project, []verify.Option{verify.WithAudiences("a", "")}, "WithAudiences: name at least"},
		"negative leeway":       {project, []verify.Option{verify.WithLeeway(-1)}, "WithLeeway: the leeway must be between 0 and 5 min"},
		"long leeway":           {project, []verify.Option{verify.WithLeeway(5*time.Minute + 1)}, "WithLeeway: the leeway must be"},
		"no age":                {project, []verify.Option{verify.WithMaxAge(0)}, "WithMaxAge: the age must be positive"},
		"no lifetime":           {project, []verify.Option{verify.WithMaxLifetime(0)}, "WithMaxLifetime: the lifetime must be positive"},
		"few bytes":             {project, []verify.Option{verify.WithMaxBytes(10)}, "WithMaxBytes: the limit must be"},
		"no clock":              {project, []verify.Option{verify.WithClock(nil)}, "WithClock: the clock must not be nil"},
		"negative cache":        {project, []verify.Option{verify.WithCache(-1)}, "WithCache: the number must be"},
		"no function":           {project, []verify.Option{verify.WithClientIDFunc(nil)}, "WithClientIDFunc: the function must not be nil"},
		"no check":              {project, []verify.Option{verify.WithActiveCheck(nil)}, "WithActiveCheck: the function must not be nil"},
		"no observer":           {project, []verify.Option{verify.WithObserver(nil)}, "WithObserver: the observer must not be nil"},
		"empty client id":       {project, []verify.Option{verify.WithClientIDs("")}, "WithClientIDs: client id must not be empty"},
		"client id of a user":   {project, []verify.Option{verify.WithClientIDs("user-test-1")}, "WithClientIDs: a client id must not be the id of a user"},
		"app and M2M ids":       {project, []verify.Option{verify.WithConnectedApps(), verify.WithClientIDs("a")}, "WithClientIDs: it is for M2M clients"},
		"app and function":      {project, []verify.Option{verify.WithClientIDFunc(func(string) bool { return true }), verify.WithConnectedApps()}, "WithClientIDFunc: it is for M2M clients"},
		"empty app":             {project, []verify.Option{verify.WithConnectedApps("")}, "WithConnectedApps: client id must not be empty"},
		"bad base URL":          {project, []verify.Option{verify.WithBaseURL("ftp://h")}, "WithBaseURL: base URL must begin"},
		"URL as domain":         {project, []verify.Option{verify.WithProjectDomain("https://" + canary)}, "WithProjectDomain: project domain must be a host name"},
		"other characters":      {"project-test-a_b.c~", nil, "New: project id must be project-test- or project-live-"},
		"M2M ids, then apps":    {project, []verify.Option{verify.WithClientIDs("a"), verify.WithConnectedApps()}, "WithClientIDs: it is for M2M clients"},
		"client id of a secret": {project, []verify.Option{verify.WithClientIDs("secret-1" + canary)}, "WithClientIDs: client id must not be a secret"},
		"client id with space":  {project, []verify.Option{verify.WithClientIDs("a " + canary)}, "WithClientIDs: client id must be at most"},
		"dots in key URL":       {project, []verify.Option{verify.WithJWKSURL("https://h/a/../b")}, "WithJWKSURL: URL must not have empty or dot segments"},
		"dots in base URL":      {project, []verify.Option{verify.WithBaseURL("https://h/a/../b")}, "WithBaseURL: base URL must not have empty or dot segments"},
		"bad key URL":           {project, []verify.Option{verify.WithJWKSURL("https://h/?q=" + canary)}, "WithJWKSURL: URL must not have a query"},
		"no http.Client":        {project, []verify.Option{verify.WithHTTPClient(nil)}, "WithHTTPClient: http.Client must not be nil"},
		"keys of nobody":        {project, []verify.Option{verify.WithKeys([]byte(`{"keys":["` + canary + `"]}`))}, "WithKeys: the key set must hold a usable RSA key"},
		"no key file":           {project, []verify.Option{verify.WithKeyFile("no such file")}, "WithKeyFile: open no such file"},
		"offline without keys":  {project, []verify.Option{verify.WithOffline()}, "WithOffline: it needs keys"},
		"short staleness":       {project, []verify.Option{verify.WithMaxStale(time.Minute)}, "WithMaxStale: the age must be"},
	} {
		v, err := verify.New(test.projectID, test.options...)
		if v != nil || !errors.Is(err, verify.ErrInvalidArgument) || !strings.HasPrefix(err.Error(), "verify: "+test.want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v, want verify: %s...", name, err, test.want)
		}
	}
	path := filepath.Join(t.TempDir(), "jwks.json")
	if _, err := verify.New(project, verify.WithKeyFile(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(path, k.jwks(), 0o600); err != nil {
		t.Fatal(err)
	}
	v := newVerifier(t, verify.WithKeyFile(path), verify.WithOffline(), verify.WithClock(atStart))
	if _, err := v.Verify(context.Background(), k.sign(t, claimsAt(start))); err != nil {
		t.Error(err)
	}
}

// Each limit is itself allowed, and what is one beyond it is not.
func TestLimits(t *testing.T) {
	day := 24 * time.Hour
	for name, test := range map[string]struct{ allowed, refused []verify.Option }{
		"leeway": {
			[]verify.Option{verify.WithLeeway(0), verify.WithLeeway(5 * time.Minute)},
			[]verify.Option{verify.WithLeeway(-1), verify.WithLeeway(5*time.Minute + 1)},
		},
		"age": {
			[]verify.Option{verify.WithMaxAge(1)},
			[]verify.Option{verify.WithMaxAge(0), verify.WithMaxAge(-1)},
		},
		"lifetime": {
			[]verify.Option{verify.WithMaxLifetime(1), verify.WithMaxLifetime(3650 * day)},
			[]verify.Option{verify.WithMaxLifetime(0), verify.WithMaxLifetime(3650*day + 1)},
		},
		"bytes": {
			[]verify.Option{verify.WithMaxBytes(256), verify.WithMaxBytes(1 << 20)},
			[]verify.Option{verify.WithMaxBytes(255), verify.WithMaxBytes(1<<20 + 1)},
		},
		"cache": {
			[]verify.Option{verify.WithCache(0), verify.WithCache(10_000_000)},
			[]verify.Option{verify.WithCache(-1), verify.WithCache(10_000_001)},
		},
		"staleness": {
			[]verify.Option{verify.WithMaxStale(15 * time.Minute), verify.WithMaxStale(30 * day)},
			[]verify.Option{verify.WithMaxStale(15*time.Minute - 1), verify.WithMaxStale(30*day + 1)},
		},
		"overlap": {
			[]verify.Option{verify.WithKeyOverlap(0), verify.WithKeyOverlap(time.Hour)},
			[]verify.Option{verify.WithKeyOverlap(-1), verify.WithKeyOverlap(time.Hour + 1)},
		},
	} {
		for i, option := range test.allowed {
			v, err := verify.New(project, option)
			if err != nil {
				t.Errorf("%s: allowed %d: %v", name, i, err)
				continue
			}
			v.Close()
		}
		for i, option := range test.refused {
			if _, err := verify.New(project, option); !errors.Is(err, verify.ErrInvalidArgument) {
				t.Errorf("%s: refused %d: %v", name, i, err)
			}
		}
	}
}

// A token may be exactly as long as the limit.
func TestLongestToken(t *testing.T) {
	k := newSigner(t)
	token := k.sign(t, claimsAt(start))
	for n, want := range map[int]error{len(token): nil, len(token) - 1: verify.ErrMalformed} {
		v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart), verify.WithMaxBytes(n))
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%d bytes of at most %d: %v", len(token), n, err)
		}
	}
}

func TestKeyAddress(t *testing.T) {
	for want, test := range map[string]struct {
		projectID string
		options   []verify.Option
	}{
		"https://test.stytch.com/v1/sessions/jwks/project-test-1":     {"project-test-1", nil},
		"https://api.stytch.com/v1/sessions/jwks/project-live-1":      {"project-live-1", nil},
		"https://api.stytch.com/v1/b2b/sessions/jwks/project-live-1":  {"project-live-1", []verify.Option{verify.WithB2B()}},
		"https://login.example.com/p/v1/sessions/jwks/project-live-1": {"project-live-1", []verify.Option{verify.WithBaseURL("https://login.example.com/p/")}},
		"http://127.0.0.1:8080/v1/b2b/sessions/jwks/project-test-1":   {"project-test-1", []verify.Option{verify.WithB2B(), verify.WithBaseURL("http://127.0.0.1:8080")}},
		"https://a.customers.stytch.dev/.well-known/jwks.json":        {"project-test-1", []verify.Option{verify.WithBaseURL("https://login.example.com"), verify.WithProjectDomain("A.customers.stytch.dev"), verify.WithProjectDomain("")}},
		"https://login.example.com/v1/sessions/jwks/project-test-1":   {"project-test-1", []verify.Option{verify.WithProjectDomain("a.customers.stytch.dev"), verify.WithBaseURL("https://login.example.com")}},
		"https://login.example.com/.well-known/jwks.json":             {"project-test-1", []verify.Option{verify.WithJWKSURL("https://login.example.com/.well-known/jwks.json")}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newKeyServer(nil)
			v, err := verify.New(test.projectID, append(test.options, verify.WithHTTPClient(&http.Client{Transport: s, Timeout: time.Second}))...)
			if err != nil {
				t.Fatal(err)
			}
			v.Verify(t.Context(), newSigner(t).sign(t, claimsAt(time.Now())))
			v.Close()
			if got := s.last.URL.String(); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func TestIssuersAndAudiences(t *testing.T) {
	k := newSigner(t)
	v := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart),
		verify.WithIssuers("https://login.example.com"), verify.WithAudiences("https://api.example.com", "b"))
	for _, test := range []struct {
		want error
		pair []any
	}{
		{nil, []any{"aud", "https://api.example.com"}},
		{nil, []any{"aud", []string{project, "b"}, "iss", "https://login.example.com"}},
		{verify.ErrAudience, []any{"aud", project}},
		{verify.ErrIssuer, []any{"aud", "b", "iss", "https://login.example.com/"}},
		{verify.ErrIssuer, []any{"aud", "b", "iss", "login.example.com"}},
	} {
		claims, err := v.Verify(context.Background(), k.sign(t, claimsAt(start, test.pair...)))
		if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%v: %v, want %v", test.pair, err, test.want)
		}
		if err == nil && (claims.Audience()[len(claims.Audience())-1] == project || claims.Issuer == "") {
			t.Errorf("%v: %v", test.pair, claims.Audience())
		}
	}
}

// RFC 7519 lets a token have several audiences; who wants exactly one can say so.
func TestExactAudience(t *testing.T) {
	k := newSigner(t)
	offline := []verify.Option{verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart)}
	several, exact := newVerifier(t, offline...), newVerifier(t, append(offline, verify.WithExactAudience())...)
	for _, test := range []struct {
		audience       any
		several, exact error
	}{
		{project, nil, nil},
		{[]string{project}, nil, nil},
		{[]string{project, "https://api.example.com"}, nil, verify.ErrAudience},
		{[]string{"https://api.example.com", project}, nil, verify.ErrAudience},
		{[]string{project, project}, nil, verify.ErrAudience},
		{[]string{"https://api.example.com"}, verify.ErrAudience, verify.ErrAudience},
	} {
		token := k.sign(t, claimsAt(start, "aud", test.audience))
		if _, err := several.Verify(t.Context(), token); !errors.Is(err, test.several) || (err == nil) != (test.several == nil) {
			t.Errorf("%v: %v, want %v", test.audience, err, test.several)
		}
		if _, err := exact.Verify(t.Context(), token); !errors.Is(err, test.exact) || (err == nil) != (test.exact == nil) {
			t.Errorf("%v, exactly one: %v, want %v", test.audience, err, test.exact)
		}
	}
}

// By default, any id that does not look as if Stytch had made it is accepted. With a list or a
// function, no others are.
func TestImportedClients(t *testing.T) {
	k := newSigner(t)
	offline := []verify.Option{verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart)}
	allow := true
	legacy := verify.WithClientIDFunc(func(id string) bool {
		return allow && strings.HasPrefix(id, "legacy-") || strings.HasPrefix(id, "user-")
	})
	for name, test := range map[string]struct {
		option            verify.Option
		accepted, refused []string
	}{
		"default": {verify.WithCache(10), []string{client, "billing", "legacy_client.01", "zahlung-ä"},
			[]string{"user-1", "user-test-1", "email-live-1", "m2m-client-live-1", "m2m-client-test-", "project-test-1"}},
		"list": {verify.WithClientIDs("billing", "user-service"), []string{client, "billing", "user-service"},
			[]string{"billing2", "legacy-1", "user-1", "user-test-1"}},
		"function":    {legacy, []string{client, "legacy-1", "user-1"}, []string{"billing", "user-test-1", "email-live-1", "m2m-client-test-"}},
		"no function": {verify.WithClientIDFunc(func(string) bool { return false }), []string{client}, []string{"billing", "m2m-client-live-1"}},
	} {
		v := newVerifier(t, append(offline, test.option)...)
		for id, want := range ids(test.accepted, test.refused) {
			token := k.sign(t, claimsAt(start, "sub", id))
			for range 2 {
				if _, err := v.Verify(context.Background(), token); !errors.Is(err, want) || (err == nil) != (want == nil) {
					t.Errorf("%s: %s: %v", name, id, err)
				}
			}
		}
	}
	both := newVerifier(t, append(offline, verify.WithClientIDs("billing"), legacy)...)
	for range 2 {
		for id, want := range map[string]bool{"billing": true, "legacy-1": allow, "other": false} { // the function is asked at every call
			if _, err := both.Verify(context.Background(), k.sign(t, claimsAt(start, "sub", id))); (err == nil) != want {
				t.Errorf("list and function: %s: %v", id, err)
			}
		}
		allow = false
	}
}

func ids(accepted, refused []string) map[string]error {
	all := map[string]error{}
	for _, id := range accepted {
		all[id] = nil
	}
	for _, id := range refused {
		all[id] = verify.ErrKind
	}
	return all
}

func TestConnectedApps(t *testing.T) {
	k := newSigner(t)
	app := func(pairs ...any) map[string]any {
		return claimsAt(start, append([]any{"client_id", "connected-app-test-1", "sub", "user-test-1", "jti", "j", "scope", "openid read:users"}, pairs...)...)
	}
	all := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart), verify.WithConnectedApps())
	one := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart), verify.WithConnectedApps("connected-app-test-2"))
	m2m := newVerifier(t, verify.WithKeys(k.jwks()), verify.WithOffline(), verify.WithClock(atStart), verify.WithClientIDFunc(func(string) bool { return true }))
	for _, test := range []struct {
		name     string
		claims   map[string]any
		all, one error
	}{
		{"of a user", app(), nil, verify.ErrKind},
		{"of a member", app("sub", "member-test-1", "client_id", "connected-app-test-2"), nil, nil},
		{"older form of id", app("client_id", "idp-client-test-1"), nil, verify.ErrKind},
		{"M2M", claimsAt(start), verify.ErrKind, verify.ErrKind},
		{"M2M client as app", app("client_id", client), verify.ErrKind, verify.ErrKind},
		{"M2M subject", app("sub", client), verify.ErrKind, verify.ErrKind},
		{"other environment", app("sub", "user-live-1"), verify.ErrKind, verify.ErrKind},
		{"session", app("client_id", nil, "https://stytch.com/session", map[string]any{}), verify.ErrKind, verify.ErrKind},
		{"session with client_id", app("https://stytch.com/session", map[string]any{}), verify.ErrKind, verify.ErrKind},
		{"ID token", app("aud", "connected-app-test-1", "scope", nil), verify.ErrMalformed, verify.ErrMalformed},
	} {
		token := k.sign(t, test.claims)
		claims, err := all.Verify(context.Background(), token)
		if !errors.Is(err, test.all) || (err == nil) != (test.all == nil) {
			t.Errorf("%s: %v, want %v", test.name, err, test.all)
		}
		if err == nil && (claims.Kind != verify.ConnectedApp || claims.ClientID != test.claims["client_id"] || claims.Subject != test.claims["sub"] || claims.ID != "j") {
			t.Errorf("%s: %+v", test.name, claims)
		}
		if _, err := one.Verify(context.Background(), token); !errors.Is(err, test.one) || (err == nil) != (test.one == nil) {
			t.Errorf("%s, one app: %v, want %v", test.name, err, test.one)
		}
		if _, err := m2m.Verify(context.Background(), token); (err == nil) != (test.name == "M2M") {
			t.Errorf("%s, verified as M2M: %v", test.name, err)
		}
	}
}
