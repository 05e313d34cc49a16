package token_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
)

// accepting is an endpoint that knows some secrets.
func accepting(secrets ...string) func(int, url.Values) *http.Response {
	return func(n int, form url.Values) *http.Response {
		for _, s := range secrets {
			if form.Get("client_secret") == s {
				return issue(n, form)
			}
		}
		return reply(400, refused("invalid_client"))
	}
}

func credential(texts ...string) token.Credential {
	c := token.Credential{ClientID: client, Secret: secret.New(texts[0])}
	if len(texts) > 1 {
		c.Next = secret.New(texts[1])
	}
	return c
}

func TestRefusedSecret(t *testing.T) {
	for _, c := range []struct {
		name     string
		reads    [][]string // what the credentials yield, one reading after another; the last one stays
		accepted string
		requests int
		calls    int
		ok       bool
	}{
		{"the current one is good", [][]string{{"a", "b"}}, "a", 1, 1, true},
		{"the next one is good", [][]string{{"a", "b"}}, "b", 2, 2, true},
		{"it was replaced meanwhile", [][]string{{"a"}, {"b"}}, "b", 2, 2, true},
		{"the pair was replaced meanwhile", [][]string{{"a", "b"}, {"b", "c"}}, "c", 3, 2, true},
		{"none is good", [][]string{{"a"}}, "", 1, 2, false},
		{"none of two is good", [][]string{{"a", "b"}}, "", 2, 2, false},
		{"none of many is good", [][]string{{"a", "b"}, {"c", "d"}, {"e", "f"}}, "", 3, 2, false},
		{"the same one twice", [][]string{{"a", "a"}}, "", 1, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &endpoint{respond: accepting(c.accepted)}
				calls := 0
				s := newSourceOf(t, token.Func(func(context.Context) (token.Credential, error) {
					read := c.reads[min(calls, len(c.reads)-1)]
					calls++
					return credential(read...), nil
				}), e)
				_, err := s.Token(t.Context())
				if (err == nil) != c.ok || err != nil && !errors.Is(err, token.ErrInvalidClient) {
					t.Error(err)
				}
				if e.count() != c.requests || calls != c.calls {
					t.Errorf("%d requests and %d readings, want %d and %d", e.count(), calls, c.requests, c.calls)
				}
				time.Sleep(time.Hour)
				if e.count() != c.requests {
					t.Error("it retries without a caller")
				}
			})
		})
	}
}

// The secret that worked is the first one next time, so that a rotation does not cost a refused
// request an hour.
func TestGoodSecretIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{respond: accepting("b")}
		s := newSourceOf(t, token.Static(client, secret.New("a"), secret.New("b")), e)
		mustToken(t, s)
		time.Sleep(2 * time.Hour)
		mustToken(t, s)
		if e.count() != 3 {
			t.Errorf("%d requests, want 3", e.count())
		}
	})
}

func TestCredentialsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, seen := &endpoint{}, &events{}
		vault := errors.New("the vault is sealed")
		var result token.Credential
		fault := vault
		s := newSourceOf(t, token.Func(func(context.Context) (token.Credential, error) { return result, fault }), e, seen.observer())
		if err := noToken(t, s); !errors.Is(err, token.ErrCredentials) || !errors.Is(err, vault) || e.count() != 0 {
			t.Errorf("%v, %d requests", err, e.count())
		}
		fault = nil
		for _, bad := range []token.Credential{
			{}, {ClientID: client}, {Secret: secret.New("a")}, credential("[REDACTED]"), credential("a", "b [REDACTED]"), credential("a\nb"),
			{ClientID: "a\nb", Secret: secret.New("a")}, {ClientID: project, Secret: secret.New("a")}, credential(strings.Repeat("a", 2000)),
		} {
			time.Sleep(time.Minute)
			result = bad
			if err := noToken(t, s); !errors.Is(err, token.ErrCredentials) || e.count() != 0 {
				t.Errorf("%v, %d requests", err, e.count())
			}
		}
		synctest.Wait() // for the observer
		if len(seen.of(token.RefreshFailed)) != 10 {
			t.Errorf("%d failures were reported", len(seen.of(token.RefreshFailed)))
		}
		time.Sleep(time.Minute)
		result = credential("a")
		mustToken(t, s)
	})
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "credentials")
	put := func(path, content string, mode os.FileMode) {
		t.Helper()
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	read := func() (token.Credential, error) { return token.File(path).Credential(t.Context()) }
	if _, err := read(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for _, c := range []struct{ content, id, secret, next string }{
		{"id\nthe-secret\n", "id", "the-secret", ""},
		{"\ufeffid\r\nthe-secret\r\nthe-previous\r\n", "id", "the-secret", "the-previous"},
		{` {"client_id":"id","client_secret":"the-secret","previous_client_secret":"the-previous","note":1} `, "id", "the-secret", "the-previous"},
		{` {"client_id":"id","client_secret":"the-secret","next_client_secret":"the-next","note":1} `, "id", "the-secret", "the-next"},
		{`{"client_id":"id","client_secret":"the-secret","next_client_secret":null}`, "id", "the-secret", ""},
	} {
		put(path, c.content, 0o600)
		got, err := read()
		if err != nil || got.ClientID != c.id || got.Secret.Reveal() != c.secret || got.Next.Reveal() != c.next {
			t.Errorf("%q: %v", c.content, err)
		}
	}
	for _, content := range []string{
		"", "id-only", "id\nthe-sec", "id\nthe-secret\nthe-next\nmore\n", "id\n'the-secret'\n", `{"client_id":"id","client_secret":"the-secret"`, `{"client_id":"id"}x`,
		`{"client_id":"id","client_secret":"the-secret","client_secret":"the-other"}`, `{"client_id":1,"client_secret":"the-secret"}`,
		"{\"client_id\":\"id\u200b\",\"client_secret\":\"the-secret\"}", strings.Repeat("the-secret", 2000),
	} {
		put(path, content, 0o600)
		if _, err := read(); err == nil || strings.Contains(err.Error(), "the-") && !strings.Contains(err.Error(), "the last line") {
			t.Errorf("%.60q: %v", content, err)
		}
	}
	put(path, "id\nthe-secret\n", 0o444) // as Kubernetes mounts it
	if _, err := read(); err != nil {
		t.Error(err)
	}

	// A folder with a file for each value.
	path = dir
	for name, content := range map[string]string{"client_id": "id\n", "client_secret": "the-secret\n", "previous_client_secret": "the-previous\n"} {
		put(filepath.Join(dir, name), content, 0o600)
	}
	if got, err := read(); err != nil || got.ClientID != "id" || got.Secret.Reveal() != "the-secret" || got.Next.Reveal() != "the-previous" {
		t.Errorf("a folder: %v", err)
	}
}

// The file is replaced while the source is in use. Nothing restarts, nothing fails.
func TestFileIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	replace := func(content string) {
		if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	replace(client + "\na\n")
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{respond: accepting("a")}
		s := newSourceOf(t, token.File(path), e)
		mustToken(t, s)
		replace(client + "\nb\n")
		e.set(0, accepting("b"))
		time.Sleep(2 * time.Hour)
		if mustToken(t, s) != "token-2" || e.count() != 2 {
			t.Errorf("%d requests: the new secret was not the first one", e.count())
		}
	})
}

func TestEnv(t *testing.T) {
	names := []string{"STYTCH_CLIENT_ID", "STYTCH_CLIENT_SECRET", "STYTCH_PREVIOUS_CLIENT_SECRET", "STYTCH_NEXT_CLIENT_SECRET"}
	set := func(values ...string) {
		for i, name := range names {
			t.Setenv(name, append(values, make([]string, len(names))...)[i])
		}
	}
	set()
	_, err := token.New(project, token.Env())
	if !errors.Is(err, token.ErrInvalidArgument) || !strings.Contains(err.Error(), "STYTCH_CLIENT_ID") || !strings.Contains(err.Error(), "STYTCH_CLIENT_SECRET") {
		t.Error(err)
	}
	for _, values := range [][]string{{"\ufeff" + client, "\ufeffa", "b"}, {client, "a", "", "b"}, {client, "a", "b", "b"}} {
		set(values...)
		e := &endpoint{respond: accepting("b")}
		mustToken(t, newSourceOf(t, token.Env(), e))
		if e.count() != 2 {
			t.Errorf("%d requests", e.count())
		}
	}
	for kind, values := range map[string][]string{
		"STYTCH_CLIENT_ID is enclosed in quotation marks":                 {`"` + client + `"`, "canary"},
		"STYTCH_CLIENT_SECRET contains a line break":                      {client, "canary\n"},
		"STYTCH_CLIENT_SECRET contains a space":                           {client, " canary"},
		"STYTCH_PREVIOUS_CLIENT_SECRET contains a zero-width":             {client, "a", "canary\u200b"},
		"STYTCH_NEXT_CLIENT_SECRET is enclosed in quotation marks":        {client, "a", "", "'canary'"},
		"STYTCH_PREVIOUS_CLIENT_SECRET and STYTCH_NEXT_CLIENT_SECRET are": {client, "a", "canary", "canary2"},
	} {
		set(values...)
		if _, err := token.New(project, token.Env()); !errors.Is(err, token.ErrInvalidArgument) || !strings.Contains(err.Error(), kind) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// A whole rotation on the emulator, with callers all the while: the old secret, both, and the new
// one only.
func TestRotationWithoutAFailedCall(t *testing.T) {
	e := emulatortest.NewServer(t, emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: client, Secret: canarySecret, Scopes: []string{"read:users"}}))
	api, err := stytch.New(e.ProjectID, e.Secret, stytch.WithBaseURL(e.URL), stytch.WithHTTPClient(e.Client()))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	held := token.Credential{ClientID: client, Secret: secret.New(canarySecret)}
	s, err := token.New(e.ProjectID, token.Func(func(context.Context) (token.Credential, error) {
		mu.Lock()
		defer mu.Unlock()
		return held, nil
	}), token.WithBaseURL(e.URL), token.WithHTTPClient(e.Client()))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	step := func(name string) {
		t.Helper()
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				// Each with parameters of its own, so that each is a request.
				if _, err := s.TokenFor(t.Context(), token.Request{Parameters: map[string]string{"step": name, "i": fmt.Sprint(i)}}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		group.Wait()
	}
	step("before")
	started, err := api.M2M.Secrets.Start(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	step("started, and the next secret is not yet known")
	mu.Lock()
	held.Next = started
	mu.Unlock()
	step("both are known")
	if err := api.M2M.Secrets.Complete(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	step("completed, and both are known")
	mu.Lock()
	held = token.Credential{ClientID: client, Secret: held.Next}
	mu.Unlock()
	step("only the new one is known")
	if got := s.Stats(); got.Failures != 0 || got.Minted != 100 || e.TokensMinted(client) != 100 {
		t.Errorf("%d failures, %d tokens", got.Failures, got.Minted)
	}
}
