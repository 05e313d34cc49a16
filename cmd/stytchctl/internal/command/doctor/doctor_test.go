package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// examine runs doctor with this environment and returns its findings by check.
func examine(t *testing.T, ahead time.Duration, environment map[string]string) map[string]finding {
	t.Helper()
	environment["XDG_CONFIG_HOME"] = t.TempDir()
	var out, stderr bytes.Buffer
	app := cli.New()
	app.Out, app.Err = &out, &stderr
	app.Getenv = func(name string) string { return environment[name] }
	app.Now = func() time.Time { return time.Now().Add(ahead) }
	app.Flags.Output = cli.NDJSON
	cmd := New(app)
	cmd.SetArgs(nil)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(context.Background())
	findings, faults := map[string]finding{}, false
	for line := range strings.Lines(out.String()) {
		var f finding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		findings[f.Check] = f
		faults = faults || f.Result == fault
	}
	if faults != (cli.Classify(err) == cli.Refused && err != nil) {
		t.Errorf("the error is %v", err)
	}
	return findings
}

func TestClock(t *testing.T) {
	server := emulatortest.NewServer(t)
	for _, test := range []struct {
		ahead  time.Duration
		result string
		text   string
	}{
		{0, good, "it agrees with the server's"},
		{10 * time.Second, warning, "ahead of the server"},
		{5 * time.Minute, fault, "ahead of the server"},
		{-time.Hour, fault, "behind the server"},
	} {
		f := examine(t, test.ahead, map[string]string{
			"STYTCH_PROJECT_ID": server.ProjectID, "STYTCH_PROJECT_SECRET": server.Secret, "STYTCH_BASE_URL": server.URL,
		})["clock"]
		if f.Result != test.result || !strings.Contains(f.Message, test.text) {
			t.Errorf("%v: %+v", test.ahead, f)
		}
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	findings := examine(t, 0, map[string]string{
		"STYTCH_PROJECT_ID": "project-test-1", "STYTCH_PROJECT_SECRET": "secret-test-1", "STYTCH_BASE_URL": server.URL,
	})
	if f := findings["TLS"]; f.Result != fault || !strings.Contains(f.Do, "name it with SSL_CERT_FILE") {
		t.Errorf("%+v", f)
	}
	if f := findings["connection"]; f.Result != good {
		t.Errorf("%+v", f)
	}
	if f := findings["key set"]; f.Result != skipped {
		t.Errorf("%+v", f)
	}
}

func TestName(t *testing.T) {
	findings := examine(t, 0, map[string]string{
		"STYTCH_PROJECT_ID": "project-test-1", "STYTCH_PROJECT_SECRET": "secret-test-1", "STYTCH_BASE_URL": "https://nothing.invalid",
	})
	if f := findings["name"]; f.Result != fault || !strings.Contains(f.Do, "DNS server") {
		t.Errorf("%+v", f)
	}
	if f := findings["connection"]; f.Result != skipped {
		t.Errorf("%+v", f)
	}
}
