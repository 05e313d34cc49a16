package token_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

// deafStore is a Store that has nothing.
type deafStore struct{}

func (deafStore) Get(context.Context, string) ([]byte, error)              { return nil, nil }
func (deafStore) Put(context.Context, string, []byte, time.Duration) error { return nil }
func (deafStore) Lease(context.Context, string, string, time.Duration) (bool, error) {
	return true, nil
}
func (deafStore) Release(context.Context, string, string) error { return nil }

func TestBadArguments(t *testing.T) {
	good := token.Static(client, secret.New(canarySecret))
	for _, c := range []struct {
		name, project string
		credentials   token.Credentials
		option        token.Option
		want          string // in the error
	}{
		{"no project", "", good, nil, "project id must not be empty"},
		{"a secret as project", "secret-test-" + canarySecret, good, nil, "swapped"},
		{"a path as project", "project-test/..", good, nil, "project id"},
		{"a dot as project", "..", good, nil, "project id"},
		{"no credentials", project, nil, nil, "credentials must not be nil"},
		{"a nil callback", project, token.Func(nil), nil, "Func: callback must not be nil"},
		{"no client", project, token.Static("", secret.New(canarySecret)), nil, "Static: client id must not be empty"},
		{"no secret", project, token.Static(client, secret.String{}), nil, "Static: client secret must not be empty"},
		{"three secrets", project, token.Static(client, secret.New("a"), secret.New("b"), secret.New("c")), nil, "two secrets"},
		{"a printed secret", project, token.Static(client, secret.New(secret.Placeholder)), nil, "redacted"},
		{"a project as client", project, token.Static(project, secret.New("a")), nil, "project id"},
		{"no path", project, token.File(""), nil, "File: path"},
		{"a bad scope", project, good, token.WithScopes("a b"), "scope"},
		{"a bad parameter", project, good, token.WithParameters(map[string]string{"client_id": canarySecret}), `WithParameters: parameter "client_id" is reserved`},
		{"plain http", project, good, token.WithBaseURL("http://example.com"), "WithBaseURL"},
		{"no host", project, good, token.WithBaseURL("https://"), "host"},
		{"not a URL", project, good, token.WithBaseURL("https://x:" + canarySecret + "@[::1"), "must be a URL"},
		{"user info", project, good, token.WithBaseURL("https://u:canary@example.com"), "user info"},
		{"a query", project, good, token.WithBaseURL("https://example.com/?x"), "query"},
		{"dots", project, good, token.WithBaseURL("https://example.com/a/../b"), "segments"},
		{"another scheme", project, good, token.WithBaseURL("ftp://example.com"), "https://"},
		{"a URL as domain", project, good, token.WithProjectDomain("https://" + canarySecret), "WithProjectDomain: project domain must be a host name"},
		{"no http client", project, good, token.WithHTTPClient(nil), "WithHTTPClient"},
		{"user agent", project, good, token.WithUserAgent("a\r\nb"), "WithUserAgent"},
		{"fraction 0", project, good, token.WithRefreshAt(0), "WithRefreshAt"},
		{"fraction 1.1", project, good, token.WithRefreshAt(1.1), "WithRefreshAt"},
		{"no fraction", project, good, token.WithRefreshAt(math.NaN()), "WithRefreshAt"},
		{"minimum life", project, good, token.WithMinLife(-1), "WithMinLife"},
		{"budget 0", project, good, token.WithBudget(0, nil), "WithBudget"},
		{"budget", project, good, token.WithBudget(2_000_000, nil), "WithBudget"},
		{"no observer", project, good, token.WithObserver(nil), "WithObserver"},
		{"no store", project, good, token.WithStore(nil), "WithStore"},
		{"a short key", project, good, token.WithStore(deafStore{}, secret.New("short")), "WithStore"},
		{"timeouts", project, good, token.WithTimeouts(0, time.Second), "WithTimeouts"},
	} {
		var options []token.Option
		if c.option != nil {
			options = append(options, c.option)
		}
		s, err := token.New(c.project, c.credentials, options...)
		if s != nil || !errors.Is(err, token.ErrInvalidArgument) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), canarySecret) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := token.New(project, good, nil); !errors.Is(err, token.ErrInvalidArgument) {
		t.Errorf("nil option: %v", err)
	}
}

func TestWhereRequestsGo(t *testing.T) {
	for _, c := range []struct{ project, base, domain, want string }{
		{"project-test-1", "", "", "https://test.stytch.com/v1/public/project-test-1/oauth2/token"},
		{"project-live-1", "", "", "https://api.stytch.com/v1/public/project-live-1/oauth2/token"},
		{"project-live-1", "https://login.example.com/", "", "https://login.example.com/v1/public/project-live-1/oauth2/token"},
		{"project-test-1", "http://localhost:8080/stytch/", "", "http://localhost:8080/stytch/v1/public/project-test-1/oauth2/token"},
		{"project-test-1", "http://[::1]:8080", "", "http://[::1]:8080/v1/public/project-test-1/oauth2/token"},
		{"project-live-1", "https://elsewhere.example.com", "Login.example.com", "https://login.example.com/v1/oauth2/token"},
	} {
		e := &endpoint{}
		options := []token.Option{token.WithHTTPClient(&http.Client{Transport: e}), token.WithUserAgent("billing/1.4")}
		if c.base != "" || c.project == "project-live-1" { // an empty one changes nothing
			options = append(options, token.WithBaseURL(c.base), token.WithProjectDomain(c.domain))
		}
		s, err := token.New(c.project, token.Static(client, secret.New(canarySecret)), options...)
		if err != nil {
			t.Fatal(err)
		}
		mustToken(t, s)
		s.Close()
		r := e.sent[0]
		if r.Method != http.MethodPost || r.URL.String() != c.want {
			t.Errorf("%s %s, want %s", r.Method, r.URL, c.want)
		}
		if h := r.Header; h.Get("Authorization") != "" || h.Get("Content-Type") != "application/x-www-form-urlencoded" || h.Get("Accept") != "application/json" ||
			!strings.HasPrefix(h.Get("User-Agent"), "billing/1.4 stytch-m2m-go/"+stytch.Version+" (") || len(h) != 3 {
			t.Errorf("headers of %s: %d, User-Agent %q", c.want, len(h), h.Get("User-Agent"))
		}
	}
}
