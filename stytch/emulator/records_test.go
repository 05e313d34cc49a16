package emulator_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/emulator"
)

func encodedCursor(seq int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Append(nil, "after:", seq))
}

// seededStorage has one record of each kind.
func seededStorage(t testing.TB) *memory {
	t.Helper()
	m := &memory{}
	e := opened(t, emulator.WithStorage(m), emulator.WithProject("project-test-1", "secret-test-1"),
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "x", Secret: workerSecret}),
		emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "gone"}),
		emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: "y"}))
	e.grant("x", workerSecret)
	e.ok("DELETE", clients+"/gone", "")
	kinds := map[string]bool{}
	for key := range m.records {
		kinds[key[0]] = true
	}
	if len(kinds) != 10 {
		t.Fatalf("%d kinds: %v", len(kinds), kinds)
	}
	return m
}

func TestRecordsThatCannotBeRead(t *testing.T) {
	good := seededStorage(t)
	hash := `"salt":"AAAAAAAAAAAAAAAAAAAAAA==","hash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","last_four":"abcd"`
	secret := `{"algorithm":"sha256","iterations":0,` + hash + `}`
	client := func(seq, status, scopes, metadata, current string) string {
		return fmt.Sprintf(`{"seq":%s,"client_name":"","client_description":"","status":%s,"scopes":%s,"trusted_metadata":%s,"secret":%s,"next_secret":null}`, seq, status, scopes, metadata, current)
	}
	app := func(kind, urls, current string) string {
		return fmt.Sprintf(`{"seq":7,"client_type":%q,"redirect_urls":%s,"post_logout_redirect_urls":[],"secret":%s}`, kind, urls, current)
	}
	for _, tt := range []struct{ kind, id, value, says string }{
		{"version", "format", `{"format":2}`, "use the version that wrote the data"},
		{"version", "format", `{"format":0}`, "reads format 1"},
		{"m2m_clients", "x", `{}`, "does not know the kind"},
		{"m2m_client", "x", ``, "not what this version writes"},
		{"m2m_client", "x", `{`, "not what this version writes"},
		{"m2m_client", "x", `null`, "one JSON object"},
		{"m2m_client", "x", `{} {}`, "one JSON object"},
		{"m2m_client", "x", `{"color":1}`, `unknown field "color"`},
		{"m2m_client", "x", client("0", `"active"`, "[]", "{}", secret), "positive seq"},
		{"m2m_client", "z", client("1", `"active"`, "[]", "{}", secret), "same seq"},
		{"m2m_client", "", client("9", `"active"`, "[]", "{}", secret), "one record for each id"},
		{"m2m_client", "x", client("1", `"gone"`, "[]", "{}", secret), "status"},
		{"m2m_client", "x", client("1", `"active"`, "null", "{}", secret), "scopes"},
		{"m2m_client", "x", client("1", `"active"`, "[]", "[]", secret), "trusted_metadata"},
		{"m2m_client", "x", client("1", `"active"`, "[]", "{}", "null"), "secret"},
		{"m2m_client", "x", client("1", `"active"`, "[]", "{}", `{"algorithm":"md5","iterations":0,`+hash+`}`), "algorithm"},
		{"m2m_client", "x", client("1", `"active"`, "[]", "{}", `{"algorithm":"pbkdf2-sha256","iterations":2000000,`+hash+`}`), "iterations"},
		{"m2m_client", "x", client("1", `"active"`, "[]", "{}", `{"algorithm":"pbkdf2-sha256","iterations":0,`+hash+`}`), "iterations"},
		{"m2m_client", "x", client("1", `"active"`, "[]", "{}", `{"algorithm":"sha256","iterations":0,"salt":"AA==","hash":"AA==","last_four":""}`), "wrong length"},
		{"connected_app", "y", app("x", "[]", secret), "client_type"},
		{"connected_app", "y", app("first_party", "null", secret), "redirect_urls"},
		{"connected_app", "y", app("first_party", "[]", "null"), "public app"},
		{"connected_app", "y", app("third_party_public", "[]", secret), "public app"},
		{"signing_key", "jwk-test-1", `{"order":1,"pkcs8":"AA=="}`, "private key"},
		{"minted_tokens", "x", `{"count":0}`, "positive"},
		{"revoked_token", "x", `{"exp":1}`, "SHA-256"},
		{"revoked_token", strings.Repeat("ab", 32), `{"exp":0}`, "exp positive"},
		{"sequence", "x", `{"last":1}`, "m2m_client or connected_app"},
		{"deleted_seed", "x", `{}`, "a slash"},
		{"behavior", "behavior", `{"create_status":999}`, "CreateStatus"},
		{"behavior", "behavior", `{"new_switch":1}`, "new_switch"},
		{"project", "project-test-2", `{"issuer":"x"}`, "more than one"},
		{"project", "project-test-1", `{"issuer":""}`, "issuer"},
		{"project_secret", "project-test-2", `{"secret":"secret-test-1"}`, "project_secret"},
		{"project_secret", "project-test-1", `{"secret":""}`, "one secret"},
	} {
		m := good.copy().set(tt.kind, tt.id, tt.value)
		_, err := emulator.New(emulator.WithStorage(m))
		if !errors.Is(err, emulator.ErrStorage) || !strings.Contains(fmt.Sprint(err), tt.says) ||
			!strings.Contains(fmt.Sprint(err), fmt.Sprintf("record %q", tt.kind)) || !strings.Contains(fmt.Sprint(err), "or start with an empty storage") {
			t.Errorf("%s %s %s: %v", tt.kind, tt.id, tt.value, err)
		}
		if m.saves() != 0 {
			t.Errorf("%s: a storage that cannot be read was changed", tt.kind)
		}
	}
	without := good.copy()
	delete(without.records, [2]string{"version", "format"})
	if _, err := emulator.New(emulator.WithStorage(without)); !errors.Is(err, emulator.ErrStorage) {
		t.Errorf("without a version: %v", err)
	}
	if _, err := emulator.New(emulator.WithStorage(broken{good})); !errors.Is(err, emulator.ErrStorage) || !errors.Is(err, errBroken) {
		t.Errorf("an error of Load: %v", err)
	}
}

var errBroken = errors.New("broken")

type broken struct{ *memory }

func (broken) Load() iter.Seq2[emulator.Record, error] {
	return func(yield func(emulator.Record, error) bool) { yield(emulator.Record{}, errBroken) }
}

// A record is refused, or gives a project whose own records give the same project.
func FuzzRecord(f *testing.F) {
	good := seededStorage(f)
	for key, r := range good.records {
		f.Add(key[0], key[1], r.Value)
	}
	f.Fuzz(func(t *testing.T, kind, id string, value []byte) {
		if value == nil {
			t.Skip("a removed record")
		}
		m := good.copy().set(kind, id, string(value))
		e, err := emulator.New(emulator.WithStorage(m))
		if err != nil {
			if !errors.Is(err, emulator.ErrStorage) || !strings.HasPrefix(err.Error(), "emulator: storage: ") {
				t.Fatal(err)
			}
			return
		}
		one := local{e, t}
		two := opened(t, emulator.WithStorage(exported(e)))
		if got, want := describe(two, nil), describe(one, nil); got != want {
			t.Errorf("the export differs:\n%s\n%s", got, want)
		}
	})
}

// Random operations, each followed by a restart, and the export of every state.
func TestRandomOperationsSurvive(t *testing.T) {
	operations := heavy.Count(3, 12)
	rapid.Check(t, func(t *rapid.T) {
		m := &memory{}
		open := func(s *memory) local {
			e, err := emulator.New(emulator.WithStorage(s),
				emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "a", Secret: workerSecret}),
				emulator.WithConnectedApp(emulator.ConnectedAppSeed{ClientID: "a"}))
			if err != nil {
				t.Fatalf("open: %v", err)
			}
			return local{e, t}
		}
		e := open(m)
		known := []login{{"a", workerSecret}}
		id := rapid.SampledFrom([]string{"a", "b", "c"})
		body := rapid.SampledFrom([]string{
			`{}`, `{"client_name":"n"}`, `{"scopes":["x","y"]}`, `{"status":"inactive"}`, `{"trusted_metadata":{"k":[1.50,{"b":1,"a":2}]}}`,
			`{"client_description":null,"trusted_metadata":null}`, `{"access_token_expiry_minutes":5,"logo_url":"l"}`, `{"redirect_urls":["https://a.example"]}`,
		})
		for range rapid.IntRange(1, operations).Draw(t, "n") {
			base := rapid.SampledFrom([]string{clients, apps}).Draw(t, "base")
			who := id.Draw(t, "id")
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0:
				_, response := e.send("POST", clients, `{"scopes":["x"],"client_id":"`+who+`"}`)
				if object := (reply{body: response}).object(discard{}); at(object, "m2m_client") != nil {
					known = append(known, login{who, text(object, "m2m_client", "client_secret")})
				}
			case 1:
				e.send("POST", apps, `{"client_type":"`+rapid.SampledFrom([]string{"first_party", "third_party_public"}).Draw(t, "type")+`"}`)
			case 2:
				e.send("PUT", base+"/"+who, body.Draw(t, "body"))
			case 3:
				e.send("DELETE", base+"/"+who, "")
			case 4:
				step := rapid.SampledFrom([]string{"", "/start", "/cancel"}).Draw(t, "step")
				_, response := e.send("POST", base+"/"+who+"/secrets/rotate"+step, "")
				if object := (reply{body: response}).object(discard{}); text(object, "m2m_client", "next_client_secret") != "" {
					known = append(known, login{who, text(object, "m2m_client", "next_client_secret")})
				}
			case 5:
				l := rapid.SampledFrom(known).Draw(t, "login")
				e.grant(l.id, l.secret)
			case 6:
				if err := e.SetBehavior(emulator.Behavior{SecretLength: rapid.IntRange(43, 50).Draw(t, "length"), NextSecretAbsent: rapid.Bool().Draw(t, "absent")}); err != nil {
					t.Fatalf("%v", err)
				}
			}
			want := describe(e, known)
			restarted := open(m)
			if got := describe(restarted, known); got != want {
				t.Fatalf("after a restart:\n%s\n%s", got, want)
			}
			if got := describe(open(exported(e.Emulator)), known); got != want {
				t.Fatalf("after an export:\n%s\n%s", got, want)
			}
			e = restarted
		}
		// A crash loses the latest calls of Save, and what is left can be read.
		crashed := &memory{}
		for _, call := range m.calls {
			crashed.apply(call)
			open(crashed.copy())
		}
	})
}

// discard takes the failures of a reply that may be no object.
type discard struct{ testing.TB }

func (discard) Helper()               {}
func (discard) Fatalf(string, ...any) {}
