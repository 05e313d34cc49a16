package emulator_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// A memory is a storage that lives as long as a test. Its zero value is empty.
type memory struct {
	mu      sync.Mutex
	records map[[2]string]emulator.Record
	calls   [][]emulator.Record
	wait    func() error // of all calls; nil succeeds at once
}

func (m *memory) Load() iter.Seq2[emulator.Record, error] {
	return func(yield func(emulator.Record, error) bool) {
		for _, r := range m.records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (m *memory) Save(records []emulator.Record) func() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, records)
	m.apply(records)
	if m.wait == nil {
		return func() error { return nil }
	}
	return m.wait
}

func (m *memory) apply(records []emulator.Record) {
	if m.records == nil {
		m.records = map[[2]string]emulator.Record{}
	}
	for _, r := range records {
		if r.Value == nil {
			delete(m.records, [2]string{r.Kind, r.ID})
			continue
		}
		m.records[[2]string{r.Kind, r.ID}] = r
	}
}

func (m *memory) saves() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.calls)
}

func (m *memory) copy() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{records: maps.Clone(m.records)}
}

func (m *memory) set(kind, id, value string) *memory {
	m.apply([]emulator.Record{{Kind: kind, ID: id, Value: []byte(value)}})
	return m
}

// exported is a storage with the records of an emulator.
func exported(e *emulator.Emulator) *memory {
	m := &memory{}
	m.apply(slices.Collect(e.Records()))
	return m
}

// a handler calls an emulator without a connection.
type local struct {
	*emulator.Emulator
	t interface {
		Helper()
		Fatalf(string, ...any)
	}
}

func opened(t testing.TB, opts ...emulator.Option) local {
	t.Helper()
	e, err := emulator.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return local{e, t}
}

func (l local) send(method, path, body string) (status int, response string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(l.Credentials())
	w := httptest.NewRecorder()
	l.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (l local) ok(method, path, body string) map[string]any {
	l.t.Helper()
	status, response := l.send(method, path, body)
	var object map[string]any
	if err := json.Unmarshal([]byte(response), &object); err != nil || status != http.StatusOK {
		l.t.Fatalf("%s %s: %d, %v", method, path, status, err)
	}
	return object
}

func (l local) grant(id, secret string) (status int, response string) {
	id0, _ := l.Credentials()
	form := credentials(id, secret)
	form.Set("grant_type", "client_credentials")
	r := httptest.NewRequest("POST", "/v1/public/"+id0+"/oauth2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	l.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestReopenedAfterEveryKindOfChange(t *testing.T) {
	m := &memory{}
	opts := []emulator.Option{
		emulator.WithStorage(m), emulator.WithIssuer("https://auth.example.com"), emulator.WithBehavior(emulator.Behavior{SecretLength: 64}),
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "seed", Secret: workerSecret, Scopes: []string{"a"}, Metadata: map[string]any{"k": json.Number("1.50")}}),
		emulator.WithM2MClient(emulator.M2MClientSeed{Name: "without an id"}),
		emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: "https://app.example/client", RedirectURLs: []string{"https://a.example"}}),
	}
	e := opened(t, opts...)
	known := []login{{"seed", workerSecret}}
	check := func(step string) {
		t.Helper()
		want := describe(e, known)
		if got := describe(opened(t, emulator.WithStorage(exported(e.Emulator))), known); got != want {
			t.Errorf("%s: the export differs:\n%s\n%s", step, got, want)
		}
		e = opened(t, opts...) // with the same seeds
		if got := describe(e, known); got != want {
			t.Errorf("%s: after a restart:\n%s\n%s", step, got, want)
		}
	}
	check("start")
	created := at(e.ok("POST", clients, `{"scopes":["b","a"],"client_name":"n","trusted_metadata":{"z":[1,{"b":1,"a":null}]}}`), "m2m_client")
	id := text(created, "client_id")
	known = append(known, login{id, text(created, "client_secret")})
	check("create")
	next := text(e.ok("POST", clients+"/"+id+"/secrets/rotate/start", ""), "m2m_client", "next_client_secret")
	known = append(known, login{id, next})
	check("start of a rotation")
	e.ok("POST", clients+"/"+id+"/secrets/rotate/cancel", "")
	check("cancellation")
	known = append(known, login{id, text(e.ok("POST", clients+"/"+id+"/secrets/rotate/start", ""), "m2m_client", "next_client_secret")})
	e.ok("POST", clients+"/"+id+"/secrets/rotate", "")
	check("completion")
	e.ok("PUT", clients+"/seed", `{"status":"inactive","client_description":"<d>","scopes":[]}`)
	check("update of a seed")
	app := text(e.ok("POST", apps, `{"client_type":"first_party","access_token_custom_audience":"x","logo_url":"https://l.example"}`), "connected_app", "client_id")
	e.ok("POST", apps, `{"client_type":"third_party_public","access_token_template_content":"{}"}`)
	e.ok("POST", apps+"/"+app+"/secrets/rotate/start", "")
	check("apps")
	first := e.Keys()[0]
	if second := e.RotateSigningKey(); second == first.ID || !e.Keys()[1].Current || e.Keys()[0].Current {
		t.Error("the keys are wrong")
	}
	check("new key")
	if err := e.RetireSigningKey(first.ID); err != nil {
		t.Error(err)
	}
	check("retired key")
	e.ok("DELETE", clients+"/seed", "")
	e.ok("DELETE", apps+"/"+app, "")
	check("deletion of a seed")
	e.ok("DELETE", clients+"/"+id, "")
	check("deletion of the newest client")
	e.ok("POST", clients, `{"scopes":[],"client_id":"`+id+`"}`)
	check("the same id again")
}

type login struct{ id, secret string }

// describe shows everything that clients can see of a project.
func describe(e local, known []login) string {
	var b strings.Builder
	show := func(method, path, body string) string {
		status, response := e.send(method, path, body)
		fmt.Fprintln(&b, method, path, body, status, anonymous(response))
		return response
	}
	project, secret := e.Credentials()
	fmt.Fprintln(&b, project, secret)
	for _, path := range []string{clients, apps} {
		show("POST", path+"/search", `{"limit":1000}`)
		cursor := ""
		for {
			var page struct {
				Results struct {
					Next string `json:"next_cursor"`
				} `json:"results_metadata"`
			}
			_ = json.Unmarshal([]byte(show("POST", path+"/search", `{"limit":1,"cursor":"`+cursor+`"}`)), &page)
			if cursor = page.Results.Next; cursor == "" {
				break
			}
		}
		for seq := range 12 { // also cursors of clients that are gone
			cursor := encodedCursor(seq + 1)
			show("POST", path+"/search", `{"cursor":"`+cursor+`"}`)
		}
	}
	for _, l := range known {
		show("GET", clients+"/"+url.PathEscape(l.id), "")
		fmt.Fprintln(&b, l.id, e.TokensMinted(l.id))
	}
	show("GET", "/v1/sessions/jwks/"+project, "")
	for _, key := range e.Keys() {
		fmt.Fprintln(&b, key.ID, key.Created.Format(time.RFC3339Nano), key.Current)
	}
	fmt.Fprintln(&b, e.TokensMinted(""))
	// The secrets are tried on a copy, because a token is counted.
	tried, err := emulator.New(emulator.WithStorage(exported(e.Emulator)), emulator.WithClock(func() time.Time { return time.Unix(1, 0) }))
	if err != nil {
		return err.Error()
	}
	for _, l := range known {
		status, response := local{tried, e.t}.grant(l.id, l.secret)
		fmt.Fprintln(&b, l.id, status, anonymous(response))
	}
	return b.String()
}

func TestSeedsOfAStorage(t *testing.T) {
	m := &memory{}
	seed := func(id, name string) emulator.Option {
		return emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: id, Name: name})
	}
	e := opened(t, emulator.WithStorage(m), seed("a", "one"), seed("", ""), seed("b", ""))
	e.ok("PUT", clients+"/a", `{"client_name":"changed"}`)
	e.ok("DELETE", clients+"/b", "")
	saves := m.saves()
	e = opened(t, emulator.WithStorage(m), seed("a", "one"), seed("", ""), seed("b", ""))
	if m.saves() != saves {
		t.Error("a restart with the same seeds stores something")
	}
	if total := at(e.ok("POST", clients+"/search", "{}"), "results_metadata", "total"); total != 2.0 {
		t.Errorf("%v clients", total)
	}
	if name := text(e.ok("GET", clients+"/a", ""), "m2m_client", "client_name"); name != "changed" {
		t.Errorf("name %q", name)
	}
	e = opened(t, emulator.WithStorage(m), seed("b", ""), seed("c", "new"))
	e.ok("GET", clients+"/c", "")
	if status, _ := e.send("GET", clients+"/b", ""); status != http.StatusNotFound {
		t.Error("a deleted seed came back")
	}
	if _, err := emulator.New(emulator.WithStorage(&memory{}), seed("a", ""), seed("a", "")); !errors.Is(err, emulator.ErrInvalidArgument) {
		t.Errorf("the same seed twice: %v", err)
	}
}

func TestOptionsBesideAStorage(t *testing.T) {
	m := &memory{}
	project := emulator.WithProject("project-test-1", "secret-test-1")
	opened(t, emulator.WithStorage(m), project)
	for name, option := range map[string]emulator.Option{
		"project": emulator.WithProject("project-test-2", "secret-test-1"),
		"secret":  emulator.WithProject("project-test-1", "secret-test-2"),
	} {
		_, err := emulator.New(emulator.WithStorage(m), option)
		if !errors.Is(err, emulator.ErrInvalidArgument) || strings.Contains(err.Error(), "secret-test-") {
			t.Errorf("%s: %v", name, err)
		}
	}
	opened(t, emulator.WithStorage(m), project, emulator.WithIssuer("https://new.example"))
	r := m.records[[2]string{"project", "project-test-1"}]
	if string(r.Value) != `{"issuer":"https://new.example"}` {
		t.Errorf("the issuer is not stored: %s", r.Value)
	}
	if _, err := emulator.New(emulator.WithStorage(nil)); !errors.Is(err, emulator.ErrInvalidArgument) {
		t.Error("a nil storage is accepted")
	}
}

// An export that others may read has neither the project's secret nor private keys, and can be
// loaded with a secret of its own.
func TestExportWithoutSecrets(t *testing.T) {
	const secret = "secret-test-Canary"
	e := opened(t, emulator.WithProject("project-test-1", secret), emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "x", Secret: "Canary-Secret-1"}))
	id := text(e.ok("POST", clients, `{"scopes":["a"]}`), "m2m_client", "client_id")
	e.grant("x", "Canary-Secret-1")
	m := &memory{}
	for r := range e.Records() {
		for _, printed := range []string{fmt.Sprint(r), fmt.Sprintf("%+v", r), fmt.Sprintf("%#v", r), fmt.Sprintf("%s", r), r.LogValue().String()} {
			if strings.Contains(printed, "{") || strings.Contains(printed, "123 ") {
				t.Errorf("a record prints its value: %s", printed)
			}
		}
		if r.HasSecret() {
			continue
		}
		if bytes.Contains(r.Value, []byte("Canary")) || bytes.Contains(r.Value, []byte("pkcs8")) {
			t.Errorf("%v holds a secret", r)
		}
		m.apply([]emulator.Record{r})
	}
	if _, err := emulator.New(emulator.WithStorage(m.copy())); !errors.Is(err, emulator.ErrStorage) || !strings.Contains(err.Error(), "WithProject") {
		t.Errorf("without a secret: %v", err)
	}
	again := opened(t, emulator.WithStorage(m), emulator.WithProject("project-test-1", "secret-test-other"))
	again.ok("GET", clients+"/"+id, "")
	if status, _ := again.grant("x", "Canary-Secret-1"); status != http.StatusOK {
		t.Error("the secret of a client does not work")
	}
}

func TestRecordsAreASnapshot(t *testing.T) {
	e := opened(t)
	id := text(e.ok("POST", clients, `{"scopes":["a"]}`), "m2m_client", "client_id")
	records := e.Records()
	before := slices.Collect(records)
	e.ok("DELETE", clients+"/"+id, "")
	e.ok("POST", clients, `{"scopes":["a"]}`)
	if after := slices.Collect(records); fmt.Sprint(after) != fmt.Sprint(before) || len(after) != len(before) {
		t.Errorf("the snapshot changed: %v, %v", before, after)
	}
	for range records { //nolint:revive // stops at once
		break
	}
}

// No response is sent before what it shows is stored, be it the request's own change or another's.
func TestResponsesWaitForTheStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		e := opened(t, emulator.WithStorage(m), emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "x", Secret: workerSecret}))
		stored := make(chan struct{})
		m.wait = func() error { <-stored; return nil }
		for _, request := range [][2]string{
			{"PUT", clients + "/x"}, {"GET", clients + "/x"}, {"POST", clients + "/search"}, {"GET", clients + "/unknown"}, {"POST", clients + "/x/secrets/rotate"},
		} {
			done := false
			go func() { e.send(request[0], request[1], "{}"); done = true }()
			synctest.Wait()
			if done {
				t.Errorf("%s %s did not wait", request[0], request[1])
			}
		}
		close(stored)
		synctest.Wait()
		if status, _ := e.send("GET", clients+"/x", ""); status != http.StatusOK {
			t.Errorf("a read after everything is stored: %d", status)
		}
	})
}

// Every operation that changes something is refused once the storage has failed, and nothing
// changes.
func TestFailedStorage(t *testing.T) {
	failures := map[string]func() error{
		"error": func() error { return errors.New("disk full") },
		"panic": func() error { panic("Canary") },
	}
	for name, wait := range failures {
		t.Run(name, func(t *testing.T) {
			m := &memory{}
			e := opened(t, emulator.WithStorage(m),
				emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "x", Secret: workerSecret, Scopes: []string{"a"}}),
				emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: "x"}))
			e.grant("x", workerSecret)
			first := e.RotateSigningKey()
			e.RotateSigningKey()
			m.wait = wait
			if status, body := e.send("PUT", clients+"/x", `{"client_name":"n"}`); status != 500 || !strings.Contains(body, "it is not known whether a change was stored: start it again") {
				t.Errorf("%d %s", status, body)
			}
			saves := m.saves()
			before := describeWithoutChanges(e)
			for _, request := range []struct{ method, path, body string }{
				{"POST", clients, `{"scopes":[]}`}, {"PUT", clients + "/x", `{}`}, {"DELETE", clients + "/x", ""},
				{"POST", clients + "/x/secrets/rotate/start", ""},
				{"POST", apps, `{"client_type":"first_party"}`}, {"PUT", apps + "/x", `{}`}, {"DELETE", apps + "/x", ""},
				{"POST", apps + "/x/secrets/rotate/start", ""},
			} {
				status, body := e.send(request.method, request.path, request.body)
				if status != 500 || !strings.Contains(body, "start it again. Nothing was changed.") || !strings.Contains(body, "internal_server_error") {
					t.Errorf("%s %s: %d %s", request.method, request.path, status, body)
				}
			}
			if status, body := e.grant("x", workerSecret); status != 500 || !strings.Contains(body, "Nothing was changed.") {
				t.Errorf("token: %d %s", status, body)
			}
			if err := e.RetireSigningKey(first); !errors.Is(err, emulator.ErrStorage) {
				t.Errorf("RetireSigningKey: %v", err)
			}
			if err := e.SetBehavior(emulator.Behavior{}); !errors.Is(err, emulator.ErrStorage) {
				t.Errorf("SetBehavior: %v", err)
			}
			func() {
				defer func() {
					if err, _ := recover().(error); !errors.Is(err, emulator.ErrStorage) {
						t.Errorf("RotateSigningKey: %v", err)
					}
				}()
				e.RotateSigningKey()
			}()
			if m.saves() != saves || describeWithoutChanges(e) != before {
				t.Error("a refused request changed something")
			}
			if got := fmt.Sprint(e.Requests()); strings.Contains(got, "Canary") {
				t.Error("the log holds the text of a panic")
			}
		})
	}
}

func describeWithoutChanges(e local) string {
	_, one := e.send("POST", clients+"/search", "{}")
	_, two := e.send("POST", apps+"/search", "{}")
	return fmt.Sprint(anonymous(one), anonymous(two), e.TokensMinted(""), e.Keys())
}

func TestStorageThatFailsAtStart(t *testing.T) {
	for name, wait := range map[string]func() error{
		"error": func() error { return errors.New("disk full") },
		"panic": func() error { panic("Canary") },
		"nil":   nil,
	} {
		m := &memory{wait: wait}
		var s emulator.Storage = m
		if wait == nil {
			s = nilWait{m}
		}
		_, err := emulator.New(emulator.WithStorage(s))
		if !errors.Is(err, emulator.ErrStorage) || strings.Contains(err.Error(), "Canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type nilWait struct{ *memory }

func (nilWait) Save([]emulator.Record) func() error { return nil }
