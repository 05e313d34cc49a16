package stytch_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// checkRefusal is what every refusal of New and of its options is held to.
func checkRefusal(t *testing.T, err error, words []string, secrets ...string) {
	t.Helper()
	if !errors.Is(err, stytch.ErrInvalidArgument) {
		t.Fatalf("error %T is not ErrInvalidArgument", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not say %q", word)
		}
	}
	for _, text := range secrets {
		if text != "" && strings.Contains(err.Error(), text) {
			t.Error("the error quotes what it refuses")
		}
	}
	var failure *stytch.Error
	if errors.As(err, &failure) {
		t.Error("a mistake of the caller looks like a response of the server")
	}
}

func TestNewRefusesCredentials(t *testing.T) {
	const id, text = "project-test-1", "secret-test-1"
	longID := "project-test-" + strings.Repeat("p", 256-len("project-test-"))
	for _, c := range []struct {
		name, projectID, secret string
		words                   []string
	}{
		{"no project id", "", text, []string{"project id", "empty"}},
		{"no secret", id, "", []string{"project secret", "empty"}},
		{"neither", "", "", []string{"project id", "empty"}},
		{"swapped", "secret-test-swapped", "project-test-swapped", []string{"project id", "swapped"}},
		{"the secret for both", "secret-test-9", "secret-test-9", []string{"project id", "swapped"}},
		{"the id for both", "project-test-9", "project-test-9", []string{"project secret", "swapped"}},
		{"colon in the id", "project-test-1:x9", text, []string{"project id", "letters, digits and hyphens"}},
		{"slash in the id", "project-test-1/x9", text, []string{"project id", "letters, digits and hyphens"}},
		{"space after the id", "project-test-1x9 ", text, []string{"project id", "letters, digits and hyphens"}},
		{"newline in the id", "project-test-1\nx9", text, []string{"project id", "letters, digits and hyphens"}},
		{"not ASCII in the id", "pröject-x9", text, []string{"project id", "letters, digits and hyphens"}},
		{"no known prefix", "project-1", text, []string{"project id", "project-test- or project-live-"}},
		{"prefix in upper case", "PROJECT-LIVE-1", text, []string{"project id", "project-test- or project-live-"}},
		{"long id", longID + "x", text, []string{"project id", "256"}},
		{"newline after the secret", id, "secret-test-x9\n", []string{"project secret", "printable ASCII"}},
		{"space in the secret", id, "secret test-x9", []string{"project secret", "printable ASCII"}},
		{"NUL in the secret", id, "secret\x00x9", []string{"project secret", "printable ASCII"}},
		{"not ASCII in the secret", id, "sécret-x9", []string{"project secret", "printable ASCII"}},
		{"long secret", id, strings.Repeat("s", 1025), []string{"project secret", "1024"}},
		{"redacted secret", id, secret.New("x").String(), []string{"project secret", "redacted"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, err := stytch.New(c.projectID, c.secret)
			if client != nil {
				t.Error("a client comes with the error")
			}
			checkRefusal(t, err, c.words, c.projectID, c.secret)
		})
	}
	for _, good := range [][2]string{{"project-test-p", "s"}, {longID, strings.Repeat("s", 1024)}, {id, `s~!"#$%&'()*+,-./:;<=>?@[\]^_{|}`}} {
		if _, err := stytch.New(good[0], good[1]); err != nil {
			t.Error(err)
		}
	}
}

func TestNewRefusesOptions(t *testing.T) {
	for _, c := range []struct {
		name   string
		option stytch.Option
		words  []string
	}{
		{"nil option", nil, []string{"option 1", "nil"}},
		{"nil http.Client", stytch.WithHTTPClient(nil), []string{"WithHTTPClient", "nil"}},
		{"nil observer", stytch.WithObserver(nil), []string{"WithObserver", "nil"}},
		{"empty product", stytch.WithUserAgent(""), []string{"WithUserAgent", "empty"}},
		{"header in the product", stytch.WithUserAgent("a\r\nX-Evil: 1"), []string{"WithUserAgent", "ASCII"}},
		{"product beyond ASCII", stytch.WithUserAgent("bücher/1"), []string{"WithUserAgent", "ASCII"}},
		{"negative attempts", stytch.WithRetry(stytch.Retry{MaxAttempts: -1}), []string{"WithRetry", "negative"}},
		{"negative base", stytch.WithRetry(stytch.Retry{BaseDelay: -1}), []string{"WithRetry", "negative"}},
		{"negative delay", stytch.WithRetry(stytch.Retry{MaxDelay: -1}), []string{"WithRetry", "negative"}},
		{"negative Retry-After", stytch.WithRetry(stytch.Retry{MaxRetryAfter: -1}), []string{"WithRetry", "negative"}},
		{"no attempt timeout", stytch.WithTimeouts(0, time.Second), []string{"WithTimeouts", "positive"}},
		{"negative call timeout", stytch.WithTimeouts(time.Second, -1), []string{"WithTimeouts", "positive"}},
		{"no responses", stytch.WithMaxResponseBytes(0), []string{"WithMaxResponseBytes", "positive"}},
		{"negative responses", stytch.WithMaxResponseBytes(math.MinInt64), []string{"WithMaxResponseBytes", "positive"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, err := stytch.New(canaryProject, canarySecret, stytch.WithUserAgent("x"), c.option)
			if client != nil {
				t.Error("a client comes with the error")
			}
			checkRefusal(t, err, c.words, canarySecret)
		})
	}
}

func TestHost(t *testing.T) {
	for id, want := range map[string]string{
		"project-live-1": "https://api.stytch.com", "project-test-1": "https://test.stytch.com",
	} {
		c, err := stytch.New(id, canarySecret)
		if err != nil {
			t.Fatal(err)
		}
		if c.BaseURL() != want || c.ProjectID() != id {
			t.Errorf("%s goes to %s, want %s", id, c.BaseURL(), want)
		}
	}
	if c := newClient(t, stytch.WithBaseURL("https://a.example"), stytch.WithBaseURL("https://b.example")); c.BaseURL() != "https://b.example" {
		t.Errorf("of two base URLs %s counts, not the last", c.BaseURL())
	}
}

// A good base URL is proved by where a request goes.
func TestBaseURL(t *testing.T) {
	for _, c := range []struct{ address, base, host, target string }{
		{"https://custom.example", "https://custom.example", "custom.example", "/v1/m2m/clients/a"},
		{"https://custom.example/", "https://custom.example", "custom.example", "/v1/m2m/clients/a"},
		{"https://custom.example//", "https://custom.example", "custom.example", "/v1/m2m/clients/a"},
		{"https://custom.example:8443", "https://custom.example:8443", "custom.example:8443", "/v1/m2m/clients/a"},
		{"https://custom.example:", "https://custom.example", "custom.example", "/v1/m2m/clients/a"},
		{"HTTPS://Custom.Example", "https://Custom.Example", "Custom.Example", "/v1/m2m/clients/a"},
		{"https://custom.example/stytch", "https://custom.example/stytch", "custom.example", "/stytch/v1/m2m/clients/a"},
		{"https://custom.example/stytch/", "https://custom.example/stytch", "custom.example", "/stytch/v1/m2m/clients/a"},
		{"https://custom.example/a/b//", "https://custom.example/a/b", "custom.example", "/a/b/v1/m2m/clients/a"},
		{"https://custom.example/v1/m2m/clients", "https://custom.example/v1/m2m/clients", "custom.example", "/v1/m2m/clients/v1/m2m/clients/a"},
		{"https://custom.example/a%20b", "https://custom.example/a%20b", "custom.example", "/a%20b/v1/m2m/clients/a"},
		{"https://custom.example/a'(b)", "https://custom.example/a'(b)", "custom.example", "/a'(b)/v1/m2m/clients/a"},
		{"https://custom.example/ä", "https://custom.example/%C3%A4", "custom.example", "/%C3%A4/v1/m2m/clients/a"},
		{"https://custom.example/a;b=c", "https://custom.example/a;b=c", "custom.example", "/a;b=c/v1/m2m/clients/a"},
		{"https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x", "[2001:db8::1]:8443", "/x/v1/m2m/clients/a"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1:8080", "/v1/m2m/clients/a"},
		{"http://127.1.2.3", "http://127.1.2.3", "127.1.2.3", "/v1/m2m/clients/a"},
		{"http://localhost:1/x/", "http://localhost:1/x", "localhost:1", "/x/v1/m2m/clients/a"},
		{"http://[::1]:80", "http://[::1]:80", "[::1]:80", "/v1/m2m/clients/a"},
	} {
		t.Run(c.address, func(t *testing.T) {
			w := always(200, "application/json", success(endpoints[1].op))
			client := clientOn(t, w, stytch.WithBaseURL(c.address))
			if client.BaseURL() != c.base {
				t.Errorf("base URL %s, want %s", client.BaseURL(), c.base)
			}
			for _, way := range endpoints[1].ways() {
				if err := way.call(t.Context(), t, client, "a"); err != nil {
					t.Fatalf("%s: %v", way.name, err)
				}
			}
			for _, s := range w.requests() {
				if s.host != c.host || s.target != c.target {
					t.Errorf("sent to %s%s, want %s%s", s.host, s.target, c.host, c.target)
				}
			}
		})
	}
}

func TestBaseURLRefused(t *testing.T) {
	for _, c := range []struct{ address, word string }{
		{" ", "https"}, {"custom.example", "https"}, {"//custom.example", "https"}, {"/v1", "https"}, {"https:custom.example", "host"},
		{"ftp://custom.example", "https"}, {"file:///etc/passwd", "https"}, {"javascript:alert(1)", "https"}, {"unix:///tmp/s", "https"},
		{"https://", "host"}, {"https:///x", "host"}, {"https://:443", "host"}, {"https:///", "host"},
		{"https://user@custom.example", "user info"}, {"https://user:canary-x9@custom.example", "user info"}, {"https://@custom.example", "user info"},
		{"https://custom.example?x9=1", "query"}, {"https://custom.example/?", "query"}, {"https://custom.example#x9", "fragment"},
		{"https://custom.example/#", "fragment"}, {"https://custom.example/a#b#", "fragment"},
		{"http://custom.example", "loopback"}, {"http://127.0.0.1.evil.example", "loopback"}, {"http://localhost.evil.example", "loopback"},
		{"http://evil.example/127.0.0.1", "loopback"}, {"http://0.0.0.0", "loopback"}, {"http://10.0.0.1", "loopback"},
		{"http://169.254.169.254/latest", "loopback"}, {"http://[::]", "loopback"}, {"http://[fe80::1]", "loopback"}, {"http://2130706433", "loopback"},
		{"http://0x7f.1", "loopback"}, {"http://127.1", "loopback"}, {"http://0177.0.0.1", "loopback"},
		{"https://custom.example/..", "dot segments"}, {"https://custom.example/a/../b", "dot segments"}, {"https://custom.example/./a", "dot segments"},
		{"https://custom.example/%2e%2e/a", "dot segments"}, {"https://custom.example/%2E/", "dot segments"}, {"https://custom.example/a/.%2e", "dot segments"},
		{"https://custom.example//a", "empty"}, {"https://custom.example/a//b", "empty"},
		{"https://custom.example/a%2fb", "slashes"}, {"https://custom.example/a%2f", "slashes"}, {"https://custom.example/..%2fb", "slashes"},
		{`https://custom.example/a\b`, "slashes"}, {"https://custom.example/a%5c..", "slashes"},
		{`https://custom.example\@evil.example`, "URL"}, {"https://custom example", "URL"}, {" https://custom.example", "URL"},
		{"https://custom.example:port", "URL"}, {"https://custom.example:-1", "URL"}, {"https://[::1", "URL"}, {"https://custom.example/%zz", "URL"},
		{"https://custom.example/\n", "URL"}, {"https://custom.example\r\nHost: evil", "URL"}, {"https://%63ustom.example", "URL"}, {"://", "URL"},
		{"https://user:canary-x9@custom.example:port", "URL"}, {"https://custom.example/\x00", "URL"},
	} {
		t.Run(c.address, func(t *testing.T) {
			_, err := stytch.New(canaryProject, canarySecret, stytch.WithBaseURL(c.address))
			checkRefusal(t, err, []string{"WithBaseURL", "base URL", c.word}, canarySecret, "canary-x9")
		})
	}
}

func TestFromEnv(t *testing.T) {
	clear := func(t *testing.T) {
		for _, name := range []string{"STYTCH_PROJECT_ID", "STYTCH_PROJECT_SECRET", "STYTCH_BASE_URL"} {
			t.Setenv(name, "")
		}
	}
	t.Run("nothing set", func(t *testing.T) {
		clear(t)
		_, err := stytch.FromEnv()
		checkRefusal(t, err, []string{"STYTCH_PROJECT_ID", "STYTCH_PROJECT_SECRET"})
	})
	t.Run("no secret", func(t *testing.T) {
		clear(t)
		t.Setenv("STYTCH_PROJECT_ID", canaryProject)
		_, err := stytch.FromEnv()
		checkRefusal(t, err, []string{"STYTCH_PROJECT_SECRET"})
		if strings.Contains(err.Error(), "STYTCH_PROJECT_ID") {
			t.Error("the error names a variable that is set")
		}
	})
	t.Run("bad base URL", func(t *testing.T) {
		clear(t)
		t.Setenv("STYTCH_PROJECT_ID", canaryProject)
		t.Setenv("STYTCH_PROJECT_SECRET", canarySecret)
		t.Setenv("STYTCH_BASE_URL", "http://user:canary-x9@custom.example")
		_, err := stytch.FromEnv()
		checkRefusal(t, err, []string{"STYTCH_BASE_URL", "user info"}, canarySecret, "canary-x9")
	})
	t.Run("bad secret", func(t *testing.T) {
		clear(t)
		t.Setenv("STYTCH_PROJECT_ID", canaryProject)
		t.Setenv("STYTCH_PROJECT_SECRET", canarySecret+"\n")
		_, err := stytch.FromEnv()
		checkRefusal(t, err, []string{"STYTCH_PROJECT_SECRET", "line break"}, canarySecret)
	})
	t.Run("pasted", func(t *testing.T) {
		for _, c := range []struct{ id, secret, base, name, kind string }{
			{`"` + canaryProject + `"`, canarySecret, "", "STYTCH_PROJECT_ID", "quotation marks"},
			{canaryProject + "\u200b", canarySecret, "", "STYTCH_PROJECT_ID", "zero-width character (U+200B)"},
			{canaryProject, " " + canarySecret, "", "STYTCH_PROJECT_SECRET", "space"},
			{canaryProject, "'" + canarySecret + "'", "", "STYTCH_PROJECT_SECRET", "quotation marks"},
			{canaryProject, canarySecret, `"https://canary-x9.example"`, "STYTCH_BASE_URL", "quotation marks"},
		} {
			t.Setenv("STYTCH_PROJECT_ID", c.id)
			t.Setenv("STYTCH_PROJECT_SECRET", c.secret)
			t.Setenv("STYTCH_BASE_URL", c.base)
			_, err := stytch.FromEnv()
			checkRefusal(t, err, []string{c.name, c.kind}, canarySecret, "canary-x9")
		}
	})
	t.Run("byte order marks", func(t *testing.T) {
		t.Setenv("STYTCH_PROJECT_ID", "\ufeff"+canaryProject)
		t.Setenv("STYTCH_PROJECT_SECRET", "\ufeff"+canarySecret)
		t.Setenv("STYTCH_BASE_URL", "\ufeffhttps://from-env.example")
		if c, err := stytch.FromEnv(); err != nil || c.ProjectID() != canaryProject || c.BaseURL() != "https://from-env.example" {
			t.Errorf("%v", err)
		}
	})
	t.Run("all set", func(t *testing.T) {
		clear(t)
		t.Setenv("STYTCH_PROJECT_ID", "project-live-1")
		t.Setenv("STYTCH_PROJECT_SECRET", canarySecret)
		c, err := stytch.FromEnv()
		if err != nil || c.BaseURL() != "https://api.stytch.com" || c.ProjectID() != "project-live-1" {
			t.Fatalf("%v", err)
		}
		t.Setenv("STYTCH_BASE_URL", "https://from-env.example/")
		if c, err = stytch.FromEnv(); err != nil || c.BaseURL() != "https://from-env.example" {
			t.Fatalf("%v", err)
		}
		given := []stytch.Option{stytch.WithBaseURL("https://given.example")}
		if c, err = stytch.FromEnv(given...); err != nil || c.BaseURL() != "https://given.example" || len(given) != 1 {
			t.Fatalf("the option does not win: %v", err)
		}
	})
}

// New reads no environment: with all of these set to something else, it does what its arguments
// say.
func TestNewReadsNoEnvironment(t *testing.T) {
	for _, name := range []string{"STYTCH_PROJECT_ID", "STYTCH_PROJECT_SECRET", "STYTCH_BASE_URL", "STYTCH_ENV", "STYTCH_SECRET"} {
		t.Setenv(name, "https://trap.example")
	}
	w := always(200, "application/json", success(endpoints[1].op))
	c := clientOn(t, w)
	if _, err := c.M2M.Get(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	sent := w.requests()[0]
	if sent.host != "test.stytch.com" || sent.header.Get("Authorization") != "Basic "+canaryHeader {
		t.Errorf("the request went to %s, or with other credentials", sent.host)
	}
}

func TestNewDoesNothing(t *testing.T) {
	w := &wire{respond: func(int, *http.Request) (*http.Response, error) { return nil, errors.New("used") }}
	before := runtime.NumGoroutine()
	for range 100 {
		clientOn(t, w)
		newClient(t).CloseIdleConnections()
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines more", after-before)
	}
	if n := len(w.requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// What belongs to the caller is the same after all calls: the http.Client, option slices, requests,
// and what they hold.
func TestCallersObjectsAreNotChanged(t *testing.T) {
	jar := emptyJar{}
	redirects := 0
	w := always(307, "text/html", "elsewhere")
	own := &http.Client{Transport: w, Jar: jar, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { redirects++; return nil }}
	before := *own
	options := []stytch.Option{stytch.WithHTTPClient(own), once()}
	c := newClient(t, options...)
	scopes := []string{"b", "a", "a"}
	ids := []string{"b", "a"}
	for _, e := range endpoints {
		for _, way := range e.ways() {
			if err := way.call(t.Context(), t, c, "a"); err == nil {
				t.Errorf("%s: a redirect is no success", e.op.ID)
			}
		}
	}
	_, _ = c.M2M.Create(t.Context(), stytch.M2MCreate{Scopes: scopes})
	_, _ = c.M2M.Update(t.Context(), "a", stytch.M2MUpdate{Scopes: stytch.List(scopes...)})
	_, _ = c.M2M.SearchPage(t.Context(), stytch.M2MSearch{Filter: stytch.ClientIDIn(ids...)})
	c.CloseIdleConnections()

	if own.Transport != before.Transport || own.Jar != before.Jar || own.Timeout != before.Timeout ||
		reflect.ValueOf(own.CheckRedirect).Pointer() != reflect.ValueOf(before.CheckRedirect).Pointer() {
		t.Error("the http.Client is changed")
	}
	if redirects != 0 {
		t.Errorf("CheckRedirect was asked %d times", redirects)
	}
	if !slices.Equal(scopes, []string{"b", "a", "a"}) || !slices.Equal(ids, []string{"b", "a"}) {
		t.Error("a slice is changed")
	}
}

// Do leaves the request alone, gives none of its credentials back, and survives requests that are
// barely made.
func TestDoLeavesTheRequestAlone(t *testing.T) {
	w := always(200, "application/json", success(endpoints[1].op))
	c := clientOn(t, w)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.BaseURL()+"/v1/m2m/clients/a%2Db?x=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Own", "1")
	before := req.Clone(t.Context())
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(req.Header, before.Header) || *req.URL != *before.URL || req.Host != before.Host {
		t.Error("the request is changed")
	}
	if resp.Request != req || quotes(fmt.Sprint(resp.Request.Header)) {
		t.Error("the response leads to a request with credentials")
	}
	sent := w.requests()[0]
	if sent.target != "/v1/m2m/clients/a-b?x=1" || sent.header.Get("X-Own") != "1" {
		t.Errorf("sent %s, or without the caller's header", sent.target)
	}

	bare := &http.Request{Method: http.MethodGet, URL: req.URL}
	if _, err := c.Do(bare.WithContext(t.Context())); err != nil {
		t.Error(err)
	}
	if bare.Header != nil {
		t.Error("a header was put into the caller's request")
	}
	for _, nothing := range []*http.Request{nil, {}, {Method: http.MethodGet}} {
		if _, err := c.Do(nothing); !errors.Is(err, stytch.ErrInvalidArgument) {
			t.Errorf("%v", err)
		}
	}
}

// A body is closed whether its request is sent or refused, as http.Client does.
func TestDoClosesTheBody(t *testing.T) {
	c := clientOn(t, always(200, "application/json", success(endpoints[0].op)))
	for path, refused := range map[string]bool{"/v1/m2m/clients": false, "/v1/other": true} {
		body := &closable{Reader: strings.NewReader("{}")}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.BaseURL()+path, body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(req); (err != nil) != refused {
			t.Errorf("%s: %v", path, err)
		}
		if !body.closed {
			t.Errorf("%s: the body is open", path)
		}
	}
}

// A limit as large as it gets means no limit. A Content-Length that promises as much as it gets
// costs nothing.
func TestMaxResponseBytes(t *testing.T) {
	body := success(endpoints[1].op)
	for _, c := range []struct {
		limit, promised int64
		fits            bool
	}{
		{int64(len(body)), int64(len(body)), true}, {int64(len(body)) - 1, -1, false}, {math.MaxInt64, -1, true}, {math.MaxInt64, math.MaxInt64, true},
	} {
		w := &wire{respond: func(int, *http.Request) (*http.Response, error) {
			resp := replyJSON(200, body)
			resp.ContentLength = c.promised
			return resp, nil
		}}
		_, err := clientOn(t, w, stytch.WithMaxResponseBytes(c.limit), once()).M2M.Get(t.Context(), "a")
		if fits := err == nil; fits != c.fits {
			t.Errorf("limit %d, promised %d: %v", c.limit, c.promised, err)
		}
		if err != nil && (!errors.Is(err, stytch.ErrInvalidResponse) || !strings.Contains(err.Error(), "larger than")) {
			t.Errorf("%v", err)
		}
	}
}

// The options reach the wire.
func TestUserAgent(t *testing.T) {
	sdk := "stytch-m2m-go/" + stytch.Version + " (" + runtime.Version() + "; " + runtime.GOOS + ")"
	for want, options := range map[string][]stytch.Option{sdk: nil, "billing/1.4 " + sdk: {stytch.WithUserAgent("billing/1.4")}} {
		w := always(200, "application/json", success(endpoints[1].op))
		if _, err := clientOn(t, w, options...).M2M.Get(context.Background(), "a"); err != nil {
			t.Fatal(err)
		}
		if got := w.requests()[0].header["User-Agent"]; len(got) != 1 || got[0] != want {
			t.Errorf("User-Agent %q, want %q", got, want)
		}
	}
}
