package deliver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

type jsonRaw = json.RawMessage

const vaultPath = "stytch/" + clientID

// TestVaultKeeps keeps the other keys of a secret to the last digit.
func TestVaultKeeps(t *testing.T) {
	v := newVaultServer(t)
	others := map[string]jsonRaw{
		"owner": jsonRaw(`"payments <team>"`), "big": jsonRaw(`-123456789.012345`), "nested": jsonRaw(`{"b":[1.10,null],"a":"ä\u00e4"}`),
	}
	v.write(vaultPath, func(data map[string]jsonRaw) {
		for name, value := range others {
			data[name] = value
		}
	})
	vault := v.deliverer(t, nil)
	for _, previous := range []secret.String{canary(), {}} {
		give(t, vault, rotate.Delivery{ClientID: clientID, Secret: canary(), Previous: previous})
		latest, _ := v.latest(vaultPath)
		for name, value := range others {
			var want, got any
			if json.Unmarshal(value, &want) != nil || json.Unmarshal(latest.data[name], &got) != nil || fmt.Sprint(want) != fmt.Sprint(got) ||
				name == "big" && string(latest.data[name]) != string(value) {
				t.Errorf("%s was changed", name)
			}
		}
		if _, there := latest.data["previous_client_secret"]; there == previous.IsZero() || len(latest.data) > 6 {
			t.Error("previous_client_secret is there without a previous secret, or missing with one")
		}
	}
}

func TestVaultOtherClient(t *testing.T) {
	for name, data := range map[string]string{
		"another":      `{"client_id":"other","client_secret":"x"}`,
		"no client id": `{"client_secret":"x"}`,
		"a number":     `{"client_id":7}`,
	} {
		v := newVaultServer(t)
		v.write(vaultPath, func(m map[string]jsonRaw) {
			if err := json.Unmarshal([]byte(data), &m); err != nil {
				t.Error(err)
			}
		})
		vault := v.deliverer(t, nil)
		err := vault.Deliver(t.Context(), rotate.Delivery{ClientID: clientID, Secret: canary()})
		if err == nil || errors.Is(err, deliver.ErrOtherClient) != (name != "a number") {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := vault.Read(t.Context(), clientID); err == nil {
			t.Errorf("%s: read all the same", name)
		}
		if _, n := v.latest(vaultPath); n != 1 {
			t.Errorf("%s: it was overwritten", name)
		}
	}
}

// TestVaultDeleted writes the version after one that was deleted or destroyed.
func TestVaultDeleted(t *testing.T) {
	for name, version := range map[string]vaultVersion{"deleted": {deleted: true}, "destroyed": {destroyed: true}} {
		v := newVaultServer(t)
		v.secrets[vaultPath] = []vaultVersion{{}, version}
		vault := v.deliverer(t, nil)
		if held, err := vault.Read(t.Context(), clientID); err != nil || held.ClientID != "" {
			t.Errorf("%s: something can be read, error %v", name, err)
		}
		give(t, vault, rotate.Delivery{ClientID: clientID, Secret: canary()})
		if _, n := v.latest(vaultPath); n != 3 {
			t.Errorf("%s: version %d, want 3", name, n)
		}
	}
}

// TestVaultConflict has another process write between each read and write.
func TestVaultConflict(t *testing.T) {
	d := rotate.Delivery{ClientID: clientID, Secret: canary(), Previous: canary()}
	for name, tt := range map[string]struct {
		times int
		write func(data map[string]jsonRaw)
		is    error
		gets  int
		last  int // version
	}{
		"another key": {2, func(data map[string]jsonRaw) { data[fmt.Sprint("key", len(data))] = jsonRaw("1") }, nil, 3, 3},
		"the same": {1, func(data map[string]jsonRaw) {
			for name, s := range map[string]secret.String{"client_secret": d.Secret, "previous_client_secret": d.Previous} {
				data[name], _ = json.Marshal(s.Reveal())
			}
			data["client_id"] = jsonRaw(`"` + clientID + `"`)
		}, nil, 3, 1}, // the mount is read too
		"without end":    {1 << 30, func(data map[string]jsonRaw) { data["key"] = jsonRaw("1") }, deliver.ErrConflict, 0, 0},
		"another client": {1, func(data map[string]jsonRaw) { data["client_id"] = jsonRaw(`"other"`) }, deliver.ErrOtherClient, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVaultServer(t)
			left := tt.times
			v.follow(func(r *http.Request) {
				if r.Method == http.MethodGet && left > 0 {
					left--
					v.write(vaultPath, tt.write)
				}
			})
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if tt.gets == 0 {
				ctx, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
				defer cancel()
			}
			err := v.deliverer(t, nil).Deliver(ctx, d)
			if !errors.Is(err, tt.is) {
				t.Fatalf("error %v, want %v", err, tt.is)
			}
			latest, n := v.latest(vaultPath)
			if tt.gets == 0 {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v, want one that is that of the context too", err)
				}
				return
			}
			if v.count(http.MethodGet) != tt.gets || n != tt.last {
				t.Errorf("read %d times, want %d; version %d, want %d", v.count(http.MethodGet), tt.gets, n, tt.last)
			}
			if name == "another key" && len(latest.data) != 5 {
				t.Errorf("%d keys, want three of ours and two of others", len(latest.data))
			}
		})
	}
}

// TestVaultSays explains Vault's errors.
func TestVaultSays(t *testing.T) {
	v := newVaultServer(t)
	v.namespace = "team"
	d := rotate.Delivery{ClientID: clientID, Secret: canary()}
	give(t, v.deliverer(t, nil), d)
	for name, tt := range map[string]struct {
		change func(*deliver.VaultConfig)
		fault  func(http.ResponseWriter, *http.Request, []byte) bool
		text   string
	}{
		"wrong token": {func(cfg *deliver.VaultConfig) { cfg.Token = deliver.TokenFile("/dev/null") }, nil, "regular file"},
		"mount":       {func(cfg *deliver.VaultConfig) { cfg.Mount = "other" }, nil, "no KV v2 engine"},
		"mount that is unknown": {func(cfg *deliver.VaultConfig) { cfg.Mount = "other" }, say("GET", func(w http.ResponseWriter, r *http.Request) {
			vaultSays(w, map[bool]int{true: 403, false: 404}[strings.Contains(r.URL.Path, "/mounts/")])
		}), "no such mount"},
		"mount that no one describes": {nil, say("GET", func(w http.ResponseWriter, _ *http.Request) { vaultSays(w, 404) }), "cannot find out"},
		"mount of a proxy": {nil, func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			if strings.Contains(r.URL.Path, "/mounts/") {
				_, _ = w.Write([]byte("<html>"))
			} else {
				vaultSays(w, 404)
			}
			return true
		}, "not one of Vault"},
		"namespace": {func(cfg *deliver.VaultConfig) { cfg.Namespace = "" }, nil, "no KV v2 engine"},
		"version 1": {nil, say("GET", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"data":{"client_id":"x"},"lease_duration":2764800}`))
		}), "not KV v2"},
		"sealed":  {nil, say("GET", func(w http.ResponseWriter, _ *http.Request) { vaultSays(w, 503, "Vault is sealed") }), `the server said "Vault is sealed"`},
		"denied":  {nil, say("GET", func(w http.ResponseWriter, _ *http.Request) { vaultSays(w, 403, "permission denied") }), "its policy lacks"},
		"behind":  {nil, say("GET", func(w http.ResponseWriter, _ *http.Request) { vaultSays(w, 412) }), "not caught up"},
		"quota":   {nil, say("GET", func(w http.ResponseWriter, _ *http.Request) { vaultSays(w, 429, "quota exceeded") }), "rate limit"},
		"standby": {nil, say("GET", func(w http.ResponseWriter, _ *http.Request) { vaultSays(w, 473) }), "standby"},
		"not JSON": {nil, say("GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
		}), "not one of Vault"},
	} {
		v.meddle(tt.fault)
		_, err := v.deliverer(t, tt.change).Read(t.Context(), clientID)
		if err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: error %v", name, err)
		}
		v.meddle(nil)
	}
}

// TestVaultPaths: what is text in a path stays inside of its segment.
func TestVaultPaths(t *testing.T) {
	v := newVaultServer(t)
	d := rotate.Delivery{ClientID: "a+c&d;e:ü", Secret: canary()}
	vault := v.deliverer(t, func(cfg *deliver.VaultConfig) {
		cfg.Path = func(id string) string { return "100% ?#/" + id }
	})
	give(t, vault, d)
	if _, n := v.latest("100% ?#/a+c&d;e:ü"); n != 1 {
		t.Error("it is somewhere else")
	}
	for _, path := range []string{"", "/", "a//b", "a/../b", ".", `a\b`, "a\nb", "/a"} {
		vault := v.deliverer(t, func(cfg *deliver.VaultConfig) { cfg.Path = func(string) string { return path } })
		if err := vault.Deliver(t.Context(), d); !errors.Is(err, rotate.ErrInvalidArgument) {
			t.Errorf("path %q: error %v", path, err)
		}
	}
}
