package console_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/console"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/instance"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	projectID     = "project-test-11111111-1111-4111-8111-111111111111"
	projectSecret = "canary-project-secret"
	adminToken    = "canary-admin-token"
)

// A site is a server with a console, and a browser without scripts.
type site struct {
	t        testing.TB
	instance *instance.Instance
	api      *stytch.Client
	url      string
	browser  *http.Client
	handler  http.Handler
}

// open starts a site. With guarded, the console needs the admin token.
func open(t testing.TB, guarded bool, options ...emulator.Option) *site {
	t.Helper()
	i, err := instance.Open(instance.Config{ProjectID: projectID, Secret: secret.New(projectSecret), Options: options})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, instance: i}
	mux := http.NewServeMux()
	mux.Handle("/", i)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	ending := make(chan struct{})
	t.Cleanup(func() { close(ending) })
	config := console.Config{
		API:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { i.Emulator().Trusted().ServeHTTP(w, r) }),
		Admin: admin.New(i, ending), Address: server.URL,
		ProjectID: projectID, ProjectSecret: secret.New(projectSecret), Storage: "It is kept in memory.", Issuer: i.Issuer,
	}
	if guarded {
		config.Authorize = func(token string) bool { return token == adminToken }
	}
	c, err := console.New(config)
	if err != nil {
		t.Fatal(err)
	}
	s.handler = c
	mux.Handle(console.Root, c)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.url = server.URL + console.Root
	s.browser = &http.Client{Jar: jar}
	if s.api, err = stytch.New(projectID, projectSecret, stytch.WithBaseURL(server.URL)); err != nil {
		t.Fatal(err)
	}
	return s
}

// A shown page is what the browser has after redirects.
type shown struct {
	status int
	path   string
	header http.Header
	body   string
}

func (s *site) get(path string) shown {
	s.t.Helper()
	return s.send(http.MethodGet, path, nil, nil)
}

// post sends a form, as names and values in turn.
func (s *site) post(path string, pairs ...string) shown {
	s.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return s.send(http.MethodPost, path, strings.NewReader(values.Encode()), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
}

func (s *site) send(method, path string, body io.Reader, header map[string]string) shown {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := s.browser.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return shown{response.StatusCode, response.Request.URL.RequestURI(), response.Header, string(text)}
}

// client creates an M2M client over the API.
func (s *site) client(name string, scopes ...string) *stytch.M2MClientWithSecret {
	s.t.Helper()
	created, err := s.api.M2M.Create(context.Background(), stytch.M2MCreate{ClientName: name, Scopes: append([]string{"read:users"}, scopes...)})
	if err != nil {
		s.t.Fatal(err)
	}
	return created
}

// has wants a status and texts, and none of the texts that begin with "!".
func (s *site) has(p shown, status int, texts ...string) {
	s.t.Helper()
	if p.status != status {
		s.t.Errorf("%s: status %d, want %d", p.path, p.status, status)
	}
	for _, text := range texts {
		unwanted, no := strings.CutPrefix(text, "!")
		if no == strings.Contains(p.body, strings.TrimPrefix(text, "!")) {
			s.t.Errorf("%s: text %q (wanted: %v) in\n%s", p.path, unwanted, !no, main(p.body))
		}
	}
}

var mainElement = regexp.MustCompile(`(?s)<main.*</main>`)

func main(body string) string { return mainElement.FindString(body) }

// find is the first group of a pattern in a page.
func (s *site) find(p shown, pattern string) string {
	s.t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(p.body)
	if found == nil {
		s.t.Fatalf("%s has nothing like %s:\n%.3000s", p.path, pattern, main(p.body))
	}
	return found[1]
}

const shownSecret = `id="secret"[^>]*>([^<]+)<`
