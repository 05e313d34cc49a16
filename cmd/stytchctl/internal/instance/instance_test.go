package instance_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/instance"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/store"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

const seedText = `
m2m_clients: [{client_id: worker, client_secret: Correct-Horse-9, scopes: [a]}]
behavior: {token_id: true}
faults: [{kind: status, status: 503, operation: DeleteConnectedApp, times: 3}]
`

func config(t *testing.T, path string) instance.Config {
	t.Helper()
	from, err := seed.Parse("seed.yaml", []byte(seedText))
	if err != nil {
		t.Fatal(err)
	}
	c := instance.Config{ProjectID: seed.DefaultProjectID, Secret: secret.New(seed.DefaultSecret), Seed: from}
	if path != "" {
		if c.Store, err = store.Open(path); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func open(t *testing.T, c instance.Config) *instance.Instance {
	t.Helper()
	i, err := instance.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

// call sends a request to the API of Stytch.
func call(t *testing.T, i *instance.Instance, method, path, body string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(seed.DefaultProjectID, seed.DefaultSecret)
	recorder := httptest.NewRecorder()
	i.ServeHTTP(recorder, r)
	value := map[string]any{}
	if err := json.Unmarshal(recorder.Body.Bytes(), &value); err != nil {
		t.Fatal(err)
	}
	return recorder.Code, value
}

func wantStatus(t *testing.T, i *instance.Instance, want int, method, path, body string) {
	t.Helper()
	if got, value := call(t, i, method, path, body); got != want {
		t.Errorf("%s %s: status %d, want %d: %v", method, path, got, want, value)
	}
}

// reopen closes an instance and opens its file again.
func reopen(t *testing.T, i *instance.Instance, path string) *instance.Instance {
	t.Helper()
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, config(t, path))
}

// Everything that changes an instance as a whole is in its file.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	i := open(t, config(t, path))
	wantStatus(t, i, 200, "POST", "/v1/m2m/clients", `{"client_id":"made","scopes":[]}`)
	wantStatus(t, i, 200, "DELETE", "/v1/m2m/clients/worker", "")
	if err := i.Advance(90 * time.Minute); err != nil {
		t.Fatal(err)
	}
	key, err := i.RotateKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := i.PatchBehavior(func(b *emulator.Behavior) error { b.MaxScopes = 7; return nil }); err != nil {
		t.Fatal(err)
	}

	i = reopen(t, i, path)
	wantStatus(t, i, 200, "GET", "/v1/m2m/clients/made", "")
	wantStatus(t, i, 404, "GET", "/v1/m2m/clients/worker", "") // a seed that was deleted
	if c := i.Clock(); c.Offset != 90*time.Minute {
		t.Errorf("the clock is %v off", c.Offset)
	}
	if keys := i.Emulator().Keys(); len(keys) != 2 || keys[1].ID != key {
		t.Errorf("keys %v, want %s as the second", keys, key)
	}
	if b := i.Emulator().Behavior(); b.MaxScopes != 7 || !b.TokenID {
		t.Errorf("behavior %+v", b)
	}

	if err := i.Reset(instance.Reset{KeepKeys: true}); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, i, 200, "POST", "/v1/m2m/clients", `{"client_id":"later","scopes":[]}`)
	i = reopen(t, i, path)
	wantStatus(t, i, 200, "GET", "/v1/m2m/clients/worker", "")
	wantStatus(t, i, 404, "GET", "/v1/m2m/clients/made", "")
	wantStatus(t, i, 200, "GET", "/v1/m2m/clients/later", "")
	if keys := i.Emulator().Keys(); len(keys) != 2 || keys[1].ID != key {
		t.Errorf("keys after the reset %v", keys)
	}
	if c := i.Clock(); c.Offset != 0 {
		t.Errorf("the clock is %v off after the reset", c.Offset)
	}

	state := i.Export()
	if err := i.Reset(instance.Reset{Empty: true}); err != nil {
		t.Fatal(err)
	}
	if err := i.Import(state); err != nil {
		t.Fatal(err)
	}
	i = reopen(t, i, path)
	wantStatus(t, i, 200, "GET", "/v1/m2m/clients/later", "")
}

// --clock decides what the clock shows first and after a reset.
func TestStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	c := config(t, path)
	c.Start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	i := open(t, c)
	near := func() bool { return i.Clock().Now.Sub(c.Start).Abs() < time.Minute }
	if !near() {
		t.Errorf("the clock shows %v", i.Clock().Now)
	}
	if err := i.RealTime(); err != nil || near() {
		t.Errorf("real time: %v, %v", i.Clock().Now, err)
	}
	if err := i.Reset(instance.Reset{}); err != nil || !near() {
		t.Errorf("after the reset, the clock shows %v, %v", i.Clock().Now, err)
	}
	c.Store, c.Start = nil, time.Date(2200, 1, 2, 0, 0, 0, 0, time.UTC)
	if _, err := instance.Open(c); !errors.Is(err, instance.ErrInvalid) {
		t.Errorf("a time that no clock shows: %v", err)
	}
}

func TestClockLimits(t *testing.T) {
	i := open(t, config(t, ""))
	for _, by := range []time.Duration{1<<63 - 1, -1 << 63, 200 * 365 * 24 * time.Hour, -60 * 365 * 24 * time.Hour} {
		if err := i.Advance(by); !errors.Is(err, instance.ErrInvalid) {
			t.Errorf("advance by %v: %v", by, err)
		}
	}
	if err := errors.Join(i.Advance(100*365*24*time.Hour), i.Advance(-100*365*24*time.Hour), i.Advance(0)); err != nil {
		t.Error(err)
	}
	if c := i.Clock(); c.Offset != 0 {
		t.Errorf("the clock is %v off", c.Offset)
	}
}

// Requests in progress during resets are answered, and what was answered after the last reset is
// there.
func TestResetUnderLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	i := open(t, config(t, path))
	done := make(chan struct{})
	var busy sync.WaitGroup
	for range 4 {
		busy.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if status, value := call(t, i, "POST", "/v1/m2m/clients", `{"scopes":[]}`); status != 200 {
					t.Errorf("status %d: %v", status, value)
					return
				}
			}
		})
	}
	for n := range 10 {
		if err := i.Reset(instance.Reset{Empty: n%2 == 0}); err != nil {
			t.Error(err)
		}
	}
	close(done)
	busy.Wait()
	var ids []string
	for range 3 {
		_, value := call(t, i, "POST", "/v1/m2m/clients", `{"scopes":[]}`)
		ids = append(ids, value["m2m_client"].(map[string]any)["client_id"].(string))
	}
	i = reopen(t, i, path)
	for _, id := range ids {
		wantStatus(t, i, 200, "GET", "/v1/m2m/clients/"+id, "")
	}
}

// Once the file has failed, nothing that would change something succeeds, and the server is not
// ready.
func TestStorageFailure(t *testing.T) {
	c := config(t, filepath.Join(t.TempDir(), "data"))
	i := open(t, c)
	state := i.Export()
	if err := c.Store.SetSetting(strings.Repeat("x", 40_000), nil); err == nil {
		t.Fatal("the file did not fail")
	}
	if err := i.Ready(); err == nil || !strings.Contains(err.Error(), "start the server again") {
		t.Errorf("ready: %v", err)
	}
	wantStatus(t, i, 500, "POST", "/v1/m2m/clients", `{"scopes":[]}`)
	wantStatus(t, i, 200, "GET", "/v1/m2m/clients/worker", "")
	for name, change := range map[string]func() error{
		"clock":    func() error { return i.Advance(time.Hour) },
		"reset":    func() error { return i.Reset(instance.Reset{}) },
		"import":   func() error { return i.Import(state) },
		"rotate":   func() error { _, err := i.RotateKey(); return err },
		"behavior": func() error { return i.PatchBehavior(func(b *emulator.Behavior) error { b.MaxScopes = 3; return nil }) },
	} {
		if err := change(); err == nil || errors.Is(err, instance.ErrInvalid) || strings.Contains(err.Error(), "Nothing was changed.") && name != "behavior" && name != "rotate" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c := i.Clock(); c.Offset != 0 {
		t.Errorf("the clock is %v off", c.Offset)
	}
}
