package torture

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	clientID = "worker"
	appID    = "app"
)

// server is a local Stytch with one client of each family, and what the tests know of it without
// asking politely.
type server struct {
	*emulator.Emulator
	initial secret.String // of both clients

	mu     sync.Mutex
	issued []secret.String // every next secret that was sent
}

// variant is one of the possible behaviors of Stytch where its documentation is silent.
type variant struct{ Start, Finish emulator.Choice }

var variants = []variant{
	{emulator.Refuse, emulator.Refuse}, {emulator.Replace, emulator.Refuse},
	{emulator.Refuse, emulator.Ignore}, {emulator.Replace, emulator.Ignore},
}

func (v variant) String() string { return "start-" + string(v.Start) + "-finish-" + string(v.Finish) }

func newServer(tb testing.TB, v variant, more ...emulator.Option) *server {
	tb.Helper()
	s := &server{initial: secret.Generate()}
	e, err := emulator.New(append([]emulator.Option{
		emulator.WithBehavior(emulator.Behavior{StartWhileRotating: v.Start, FinishWhileIdle: v.Finish}),
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: clientID, Secret: s.initial.Reveal(), Scopes: []string{"read"}}),
		emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: appID, Secret: s.initial.Reveal(), Name: "app"}),
	}, more...)...)
	if err != nil {
		tb.Fatal(err)
	}
	s.Emulator = e
	return s
}

// ServeHTTP records the secrets in responses.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/secrets/rotate/start") {
		w = &listener{ResponseWriter: w, server: s}
	}
	s.Emulator.ServeHTTP(w, r)
}

// listener reads what is written through it.
type listener struct {
	http.ResponseWriter
	server *server
	body   bytes.Buffer
}

func (l *listener) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l *listener) Write(p []byte) (int, error) {
	l.body.Write(p)
	if _, rest, found := strings.Cut(l.body.String(), `"next_client_secret":"`); found {
		if text, _, complete := strings.Cut(rest, `"`); complete {
			l.server.mu.Lock()
			l.server.issued = append(l.server.issued, secret.New(text))
			l.server.mu.Unlock()
		}
	}
	return l.ResponseWriter.Write(p)
}

// secrets is every client secret there ever was outside of the server.
func (s *server) secrets() []secret.String {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]secret.String{s.initial}, s.issued...)
}

// ask makes a request that no network stands in the way of. Faults do.
func (s *server) ask(method, path, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.SetBasicAuth(s.Credentials())
	w := httptest.NewRecorder()
	s.Emulator.ServeHTTP(w, r)
	return w
}

// accepts asks for the truth: a token for the secret, with a scope that the client does not have,
// so that none is made; or for a Connected App, which gets none, how the secrets end.
func (s *server) accepts(id string, value secret.String) bool {
	if value.IsZero() {
		return false
	}
	if id == appID {
		seen, text := s.pending(id), value.Reveal()
		end := text[len(text)-4:]
		return end == seen.Current || end == seen.Next
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {value.Reveal()}, "scope": {"not-held"}}
	projectID, _ := s.Credentials()
	answer := s.ask("POST", "/v1/public/"+projectID+"/oauth2/token", "application/x-www-form-urlencoded", form.Encode())
	var out struct{ Error string }
	if err := json.Unmarshal(answer.Body.Bytes(), &out); err != nil || out.Error != "invalid_scope" && out.Error != "invalid_client" {
		panic("the server cannot be asked")
	}
	return out.Error == "invalid_scope"
}

func (s *server) pending(id string) secret.LastFour {
	type client struct {
		Current string `json:"client_secret_last_four"`
		Next    string `json:"next_client_secret_last_four"`
	}
	var out struct {
		M2M client `json:"m2m_client"`
		App client `json:"connected_app"`
	}
	path := "/v1/m2m/clients/"
	if id == appID {
		path = "/v1/connected_apps/clients/"
	}
	if answer := s.ask("GET", path+id, "", ""); answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &out) != nil {
		panic("the server cannot be asked")
	}
	if id == appID {
		return secret.LastFour{Current: out.App.Current, Next: out.App.Next}
	}
	return secret.LastFour{Current: out.M2M.Current, Next: out.M2M.Next}
}

// outside serves on a loopback address until the test ends.
func (s *server) outside(tb testing.TB) (address string) {
	tb.Helper()
	h := httptest.NewServer(s)
	tb.Cleanup(h.Close)
	return h.URL
}
