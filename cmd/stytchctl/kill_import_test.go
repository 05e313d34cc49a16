package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

// TestKillImport kills imports at random moments and starts them again until they are done. Then
// every entry is there once, and every secret that the places hold is that of its client. The
// secret of an app that was being created may be lost, but then the last run says so.
func TestKillImport(t *testing.T) {
	heavy.Only(t)
	for _, kind := range []string{"clients", "apps"} {
		for _, place := range []string{"folder", "exec"} {
			t.Run(kind+"/"+place, func(t *testing.T) { killImport(t, kind, place) })
		}
	}
}

func killImport(t *testing.T, kind, place string) {
	count := map[string]int{"folder": 60, "exec": 20}[place]
	dir := t.TempDir()
	local, err := emulator.Start(emulator.WithFaults(
		emulator.Latency("CreateM2MClient", 5*time.Millisecond), emulator.Latency("CreateConnectedApp", 5*time.Millisecond)))
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	var lines bytes.Buffer
	for i := range count {
		switch {
		case kind == "apps":
			fmt.Fprintf(&lines, `{"client_name":"app %d","client_type":"third_party"}`+"\n", i)
		case i%2 == 0:
			fmt.Fprintf(&lines, `{"client_name":"named %d","scopes":["read"]}`+"\n", i)
		default:
			fmt.Fprintf(&lines, `{"client_id":"client-%d","scopes":["read"],"status":"inactive"}`+"\n", i)
		}
	}
	file, secrets := filepath.Join(dir, "import.ndjson"), filepath.Join(dir, "secrets")
	script := filepath.Join(dir, "store") // writes atomically under the id in the object
	for name, text := range map[string]string{file: lines.String(), script: `#!/bin/sh
cat >"$0.$$" && id=$(sed 's/.*"client_id":"\([^"]*\)".*/\1/' "$0.$$") && mv "$0.$$" "` + secrets + `/$id.json"
`} {
		if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(secrets, 0o700); err != nil {
		t.Fatal(err)
	}
	to := map[string]string{"folder": "folder:" + secrets, "exec": "exec:" + script}[place]
	var last string
	kills := 0
	for done := false; !done; {
		cmd := exec.Command("stytchctl", kind, "import", file, "--secret-to", to, "-o", "ndjson")
		cmd.Env = append(os.Environ(), "STYTCH_PROJECT_ID="+local.ProjectID, "STYTCH_PROJECT_SECRET="+local.Secret, "STYTCH_BASE_URL="+local.URL)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(rand.IntN(200+10*kills))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		timer.Stop()
		if done = cmd.ProcessState.Exited(); !done {
			kills++
		}
		last = out.String()
	}
	t.Logf("%d kills", kills)
	if kills == 0 {
		t.Error("no run was killed: the import is too fast for this test")
	}
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	if err != nil {
		t.Fatal(err)
	}
	var found int
	if kind == "apps" {
		found = checkApps(t, api, secrets, last)
	} else {
		found = checkClients(t, api, secrets)
	}
	if found != count {
		t.Errorf("%d of %d are there\n%s", found, count, last)
	}
}

func checkClients(t *testing.T, api *stytch.Client, secrets string) (found int) {
	for client, err := range api.M2M.Search(context.Background(), stytch.M2MSearch{}) {
		if err != nil {
			t.Fatal(err)
		}
		found++
		if odd := strings.HasPrefix(client.ClientID, "client-"); odd != (client.Status == stytch.Inactive) {
			t.Errorf("%s is %s", client.ClientID, client.Status)
		} else if odd {
			_, err := api.M2M.Update(context.Background(), client.ClientID, stytch.M2MUpdate{Status: stytch.Set(stytch.Active)})
			if err != nil {
				t.Fatal(err)
			}
		}
		if ok, err := api.M2M.Secrets.Probe(context.Background(), client.ClientID, stored(t, secrets, client.ClientID)); !ok || err != nil {
			t.Errorf("the stored secret of %s is not accepted: %v", client.ClientID, err)
		}
	}
	return found
}

func checkApps(t *testing.T, api *stytch.Client, secrets, report string) (found int) {
	names := map[string]bool{}
	for app, err := range api.ConnectedApps.Search(context.Background(), stytch.ConnectedAppSearch{}) {
		if err != nil {
			t.Fatal(err)
		}
		if names[app.ClientName] {
			t.Errorf("%s is there twice", app.ClientName)
		}
		names[app.ClientName] = true
		found++
		if s := stored(t, secrets, app.ClientID); s.IsZero() {
			if !strings.Contains(report, "stytchctl apps delete "+app.ClientID) {
				t.Errorf("the secret of %s is lost, and nobody was told:\n%s", app.ClientID, report)
			}
		} else if !strings.HasSuffix(s.Reveal(), *app.ClientSecretLastFour) {
			t.Errorf("the stored secret of %s is another one", app.ClientID)
		}
	}
	return found
}

func stored(t *testing.T, secrets, id string) secret.String {
	var held struct {
		Secret secret.String `json:"client_secret"`
	}
	text, err := os.ReadFile(filepath.Join(secrets, id+".json"))
	if err == nil {
		err = json.Unmarshal(text, &held)
	}
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return held.Secret
}
