//go:build unix

package deliver_test

import (
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
)

// place is a deliverer that can be read and checked.
type place interface {
	rotate.Deliverer
	rotate.Reader
	rotate.Checker
}

// TestCheck: a place that works is checked without a change, whether it holds a secret or not.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "all"), 0o700); err != nil {
		t.Fatal(err)
	}
	v, a := newVaultServer(t), newAPIServer(t)
	deleted, shared := newVaultServer(t), newAPIServer(t)
	deleted.secrets[vaultPath] = []vaultVersion{{}, {deleted: true}}
	shared.write(secretName, func(o map[string]any) { keys(o, "other", "x") })
	for name, p := range map[string]place{
		"File": deliver.File(filepath.Join(dir, "one.json")), "Folder": deliver.Folder(filepath.Join(dir, "all")),
		"Vault": v.deliverer(t, nil), "deleted in Vault": deleted.deliverer(t, nil),
		"Kubernetes": a.deliverer(t, nil), "without the key": shared.deliverer(t, nil),
	} {
		state := func() string {
			var b strings.Builder
			files := snapshot(t, dir)
			for _, name := range slices.Sorted(maps.Keys(files)) {
				b.WriteString(name + files[name])
			}
			for _, v := range []*vaultServer{v, deleted} {
				_, n := v.latest(vaultPath)
				b.WriteString(strings.Repeat("v", n))
			}
			for _, a := range []*apiServer{a, shared} {
				text, version := a.text(t, secretName)
				b.WriteString(text + version)
			}
			return b.String()
		}
		for _, held := range []string{"nothing", "a secret"} {
			before := state()
			if err := p.Check(t.Context(), clientID); err != nil {
				t.Errorf("%s with %s: %v", name, held, err)
			}
			if state() != before {
				t.Errorf("%s with %s: the check changed something", name, held)
			}
			if got, err := p.Read(t.Context(), clientID); err != nil || got.Secret.IsZero() != (held == "nothing") {
				t.Errorf("%s with %s: something else is read, error %v", name, held, err)
			}
			give(t, p, rotate.Delivery{ClientID: clientID, Secret: canary()})
		}
	}
	if err := runs("store").Check(t.Context(), clientID); err != nil {
		t.Errorf("Exec: %v", err)
	}
}

// TestCheckFails: what cannot be written fails the check, and what cannot be read is not an empty
// place.
func TestCheckFails(t *testing.T) {
	denied := func(method string) func(http.ResponseWriter, *http.Request, []byte) bool {
		return say(method, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/api/") {
				kubernetesSays(w, 403, "Forbidden", "forbidden")
				return
			}
			vaultSays(w, 403, "permission denied")
		})
	}
	vault := func(change func(*vaultServer)) func(t *testing.T) place {
		return func(t *testing.T) place {
			v := newVaultServer(t)
			change(v)
			return v.deliverer(t, nil)
		}
	}
	cluster := func(change func(*apiServer), configure func(*deliver.KubernetesConfig)) func(t *testing.T) place {
		return func(t *testing.T) place {
			a := newAPIServer(t)
			change(a)
			return a.deliverer(t, configure)
		}
	}
	some := func(a *apiServer) { a.write(secretName, func(map[string]any) {}) }
	for name, tt := range map[string]struct {
		place func(t *testing.T) place
		reads bool
		text  string
	}{
		"no folder of a file": {func(t *testing.T) place { return deliver.File(filepath.Join(t.TempDir(), "absent", "f")) }, false, "no such file"},
		"no folder of files":  {func(t *testing.T) place { return deliver.Folder(filepath.Join(t.TempDir(), "absent")) }, false, "no such file"},
		"a file for a folder": {func(t *testing.T) place { return deliver.File("/dev/null/f") }, false, "not a directory"},
		"engine of version 1": {vault(func(v *vaultServer) { v.first = true }), false, "not KV v2"},
		"no namespace of Vault": {vault(func(v *vaultServer) {
			v.fault = say("GET", func(w http.ResponseWriter, _ *http.Request) { vaultSays(w, 404, "no handler for route") })
		}), false, "no KV v2 engine"},
		"no right to update": {vault(func(v *vaultServer) { v.fault = denied("POST") }), true, `lacks "read", "create" or "update"`},
		"numbers of 16 digits": {vault(func(v *vaultServer) {
			v.write(vaultPath, func(m map[string]jsonRaw) { m["limit"] = jsonRaw(`1234567890123456`) })
		}), true, `key "limit" has a number`},
		"check-and-set ignored": {vault(func(v *vaultServer) {
			v.fault = say("POST", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"data":{"version":1}}`)) })
		}), true, "does not name the new version"},
		"no namespace of Kubernetes": {cluster(some, func(cfg *deliver.KubernetesConfig) { cfg.Namespace = "other" }), false, "no such namespace"},
		"no Secret":                  {cluster(func(*apiServer) {}, func(cfg *deliver.KubernetesConfig) { cfg.Create = false }), false, "no such Secret"},
		"no right to create":         {cluster(func(a *apiServer) { a.fault = denied("POST") }, nil), false, `the verb "create"`},
		"no right to patch":          {cluster(func(a *apiServer) { some(a); a.fault = denied("PATCH") }, nil), true, `the verb "patch"`},
		"immutable":                  {cluster(func(a *apiServer) { a.write(secretName, func(o map[string]any) { o["immutable"] = true }) }, nil), true, "immutable"},
	} {
		t.Run(name, func(t *testing.T) {
			p := tt.place(t)
			if err := p.Check(t.Context(), clientID); err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("check: error %v", err)
			}
			held, err := p.Read(t.Context(), clientID)
			if (err == nil) != tt.reads || !held.Secret.IsZero() {
				t.Errorf("read: error %v", err)
			}
			if !tt.reads && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("read: error %v", err)
			}
		})
	}
	for name, err := range map[string]error{
		"no program": deliver.Exec(filepath.Join(t.TempDir(), "absent")).Check(t.Context(), clientID),
		"no name":    deliver.Exec("").Check(t.Context(), clientID),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, p := range []rotate.Checker{deliver.File("f"), deliver.Folder("f"), deliver.Exec("f"), newVaultServer(t).deliverer(t, nil), newAPIServer(t).deliverer(t, nil)} {
		if err := p.Check(t.Context(), "a/b"); !errors.Is(err, rotate.ErrInvalidArgument) {
			t.Errorf("%v of a client id with a slash: error %v", p, err)
		}
	}
}

// TestVaultVersionOne: nothing is written to an engine that would store it in another shape.
func TestVaultVersionOne(t *testing.T) {
	v := newVaultServer(t)
	v.first = true
	vault := v.deliverer(t, nil)
	d := rotate.Delivery{ClientID: clientID, Secret: canary(), Previous: canary()}
	if err := vault.Deliver(t.Context(), d); err == nil || !strings.Contains(err.Error(), "not KV v2") || leaks(err.Error(), d.Secret, d.Previous, v.token) {
		t.Errorf("no error, another one, or one with a secret: %t", err == nil)
	}
	if len(v.shapeless) != 0 {
		t.Error("the secrets were written")
	}
	v.shapeless[vaultPath] = `{"client_id":"x"}`
	if err := vault.Deliver(t.Context(), d); err == nil || !strings.Contains(err.Error(), "not KV v2") {
		t.Errorf("over a secret of version 1: error %v", err)
	}
	// It becomes one of version 1 between reading and writing.
	v.first = false
	v.meddle(say("POST", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	if err := vault.Deliver(t.Context(), d); err == nil || !strings.Contains(err.Error(), "not KV v2") {
		t.Errorf("a write without a version: error %v", err)
	}
}

// TestVaultRounds: what Vault returns may be another number than it stores, so it is not written
// back.
func TestVaultRounds(t *testing.T) {
	for text, refused := range map[string]bool{
		`12345678901234567890`: true, `9007199254740993`: true, `-1e300`: true, `{"a":[0.1234567890123456]}`: true,
		`123456789012345`: false, `-0.5`: false, `1.25e-7`: false, `0`: false, `"12345678901234567890"`: false, `[1,2,{"b":null}]`: false,
	} {
		v := newVaultServer(t)
		v.write(vaultPath, func(m map[string]jsonRaw) { m["limit"] = jsonRaw(text) })
		vault := v.deliverer(t, nil)
		err := vault.Deliver(t.Context(), rotate.Delivery{ClientID: clientID, Secret: canary()})
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), `key "limit" has a number of more than 15 digits`) {
			t.Errorf("%s: error %v", text, err)
		}
		latest, n := v.latest(vaultPath)
		if refused && n != 1 || !refused && (n != 2 || string(latest.data["limit"]) != text && text != `1.25e-7`) {
			t.Errorf("%s: version %d has %s", text, n, latest.data["limit"])
		}
	}
}
