package stytch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch"
)

func TestAuthorization(t *testing.T) {
	eachWayOf(t, endpoints, func(t *testing.T, e endpoint, call func(context.Context, *stytch.Client, string) error) {
		w := always(200, "application/json", success(e.op))
		if err := call(t.Context(), clientOn(t, w), "a"); err != nil {
			t.Fatal(err)
		}
		for _, s := range w.requests() {
			got := s.header["Authorization"]
			if e.op.ProjectAuth && (len(got) != 1 || got[0] != "Basic "+canaryHeader) {
				t.Error("the project's credentials are missing, or not alone")
			}
			if !e.op.ProjectAuth && (len(got) != 0 || quotes(fmt.Sprint(s))) {
				t.Error("the project's credentials went where they are not needed")
			}
			if accept := s.header["Accept"]; len(accept) != 1 || accept[0] != "application/json" {
				t.Errorf("Accept %q", accept)
			}
			if !strings.HasPrefix(s.header.Get("User-Agent"), "stytch-m2m-go/"+stytch.Version) {
				t.Errorf("User-Agent %q", s.header.Get("User-Agent"))
			}
			if strings.HasPrefix(s.body, "{") && s.header.Get("Content-Type") != "application/json" {
				t.Errorf("Content-Type %q", s.header.Get("Content-Type"))
			}
			for _, name := range []string{"Cookie", "Referer", "Idempotency-Key", "X-Idempotency-Key"} {
				if s.header.Get(name) != "" {
					t.Errorf("%s is sent", name)
				}
			}
		}
	})
}

// A caller of the generated client may set headers. The client's own win where it has some, and the
// project's credentials do not reach the endpoints for others, not even by the caller's hand.
func TestCallersHeaders(t *testing.T) {
	const clients = "Basic Y2xpZW50OnNlY3JldA==" // client:secret
	for _, c := range []struct {
		name, given, management, public string
	}{
		{"a client's credentials", clients, "Basic " + canaryHeader, clients},
		{"the project's", "Basic " + canaryHeader, "Basic " + canaryHeader, ""},
		{"the project's in lower case", "basic " + canaryHeader, "Basic " + canaryHeader, ""},
		{"the project's secret for another user", basic("client", canarySecret), "Basic " + canaryHeader, ""},
		{"a token", "Bearer x", "Basic " + canaryHeader, "Bearer x"},
		{"no scheme", "x", "Basic " + canaryHeader, "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, e := range endpoints {
				w := always(200, "application/json", success(e.op))
				client := clientOn(t, w)
				raw := rawOn(t, client)
				raw.RequestEditors = []gen.RequestEditorFn{func(_ context.Context, r *http.Request) error {
					r.Header.Set("Authorization", c.given)
					r.Header.Set("User-Agent", "mine")
					r.Header.Set("X-Own", "kept")
					r.Header.Set("Idempotency-Key", "k")
					r.Header.Set("X-Idempotency-Key", "k")
					return nil
				}}
				if _, err := e.raw(t.Context(), raw, "a"); err != nil {
					t.Fatal(err)
				}
				want := c.public
				if e.op.ProjectAuth {
					want = c.management
				}
				header := w.requests()[0].header
				if header.Get("Authorization") != want {
					t.Errorf("%s: another Authorization than %d characters", e.op.ID, len(want))
				}
				if header.Get("X-Own") != "kept" || header.Get("User-Agent") == "mine" {
					t.Errorf("%s: own header %q, User-Agent %q", e.op.ID, header.Get("X-Own"), header.Get("User-Agent"))
				}
				// http.Transport repeats whatever carries such a key.
				if replayed := header.Get("Idempotency-Key") + header.Get("X-Idempotency-Key"); e.op.Safety == operation.ShownOnce && replayed != "" {
					t.Errorf("%s carries an idempotency key", e.op.ID)
				}
			}
		})
	}
}

func basic(user, password string) string {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

// A request to anywhere but the base URL is refused unsent.
func TestOtherHosts(t *testing.T) {
	w := always(200, "application/json", success(operation.GetM2MClient))
	c := clientOn(t, w, stytch.WithBaseURL("https://custom.example:8443"))
	good := url.URL{Scheme: "https", Host: "custom.example:8443", Path: "/v1/m2m/clients/a"}
	try := func(name string, change func(r *http.Request)) {
		u := good
		r := (&http.Request{Method: http.MethodGet, URL: &u, Header: http.Header{}}).WithContext(t.Context())
		change(r)
		if _, err := c.Do(r); !errors.Is(err, stytch.ErrInvalidArgument) || quotes(err.Error()) {
			t.Errorf("%s: not refused, or with the secret", name)
		}
	}
	for _, host := range []string{"evil.example", "custom.example", "custom.example:443", "custom.example:8443.evil.example", "evil.custom.example:8443",
		"custom.example:8443:1", "CUSTOM.example:8443", "custom.example.:8443", "", "custom.example:8443@evil.example", "[custom.example]:8443"} {
		try("host "+host, func(r *http.Request) { r.URL.Host = host })
		if host != "" {
			try("Host header "+host, func(r *http.Request) { r.Host = host })
		}
	}
	try("http", func(r *http.Request) { r.URL.Scheme = "http" })
	try("HTTPS", func(r *http.Request) { r.URL.Scheme = "HTTPS" })
	try("no scheme", func(r *http.Request) { r.URL.Scheme = "" })
	try("user info", func(r *http.Request) { r.URL.User = url.UserPassword("u", "p") })
	try("opaque", func(r *http.Request) { r.URL.Opaque = "//evil.example/v1/m2m/clients/a" })
	try("opaque path", func(r *http.Request) { r.URL.Opaque = "/v1/m2m/clients/.." })
	if n := len(w.requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	r := (&http.Request{Method: http.MethodGet, URL: &good, Host: good.Host, Header: http.Header{"Host": {"evil.example"}}}).WithContext(t.Context())
	if _, err := c.Do(r); err != nil || w.requests()[0].host != good.Host {
		t.Errorf("a Host in the header map, which net/http ignores: %v", err)
	}
}

// Redirects are responses. Nothing is sent to where they point, whatever http.Client is used.
func TestRedirects(t *testing.T) {
	var elsewhere atomic.Int64
	count := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere.Add(1)
		w.Header().Set("Content-Type", "application/json")
	})
	other, plain := httptest.NewTLSServer(count), httptest.NewServer(count)
	defer other.Close()
	defer plain.Close()
	var status, here atomic.Int64
	var location atomic.Value
	origin := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/elsewhere") {
			elsewhere.Add(1)
		}
		here.Add(1)
		w.Header().Set("Location", location.Load().(string))
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "x"})
		w.WriteHeader(int(status.Load()))
	}))
	defer origin.Close()

	lenient := origin.Client()
	lenient.Jar = emptyJar{}
	lenient.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
	own := newClient(t, stytch.WithBaseURL(origin.URL))
	own.TrustRoots(rootsOf(origin))
	defer own.CloseIdleConnections()
	clients := map[string]*stytch.Client{
		"own http.Client":      own,
		"caller's http.Client": newClient(t, stytch.WithBaseURL(origin.URL), stytch.WithHTTPClient(lenient)),
	}
	locations := []string{other.URL + "/elsewhere", plain.URL + "/elsewhere", origin.URL + "/elsewhere", "/elsewhere", "elsewhere", "//" + other.Listener.Addr().String(),
		"https://[::1", ":", "%zz", ""}
	codes := []int{300, 301, 302, 303, 304, 307, 308}
	for name, c := range clients {
		t.Run(name, func(t *testing.T) {
			for _, e := range endpoints {
				for _, code := range codes {
					for _, to := range locations {
						status.Store(int64(code))
						location.Store(to)
						here.Store(0)
						_, err := e.raw(t.Context(), rawOn(t, c), "a")
						var failure *stytch.Error
						if !errors.As(err, &failure) || failure.StatusCode != code || failure.Operation != e.op.ID || !errors.Is(err, stytch.ErrInvalidResponse) {
							t.Fatalf("%s: %d to %q: %v", e.op.ID, code, to, err)
						}
						if here.Load() != 1 {
							t.Errorf("%s: %d to %q: %d requests", e.op.ID, code, to, here.Load())
						}
					}
				}
			}
		})
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d requests followed a redirect", n)
	}
}
