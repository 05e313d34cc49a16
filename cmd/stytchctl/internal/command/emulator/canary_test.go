package emulator_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/redact"
)

// Secrets of clients are in no file, and what is secret about the project is only in its data file
// and its ready file.
func TestCanaries(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const projectSecret, token = "Canary-Project-Horse-1", "Canary-Admin-Horse-2"
	write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	write("project.secret", projectSecret)
	write("admin.token", token)
	write("seed.yaml", "m2m_clients: [{client_id: worker, client_secret: Canary-Seed-Horse-3, scopes: [a]}]\n")
	flags := []string{
		"--data", "data.db", "--seed", "seed.yaml", "--project-secret-file", "project.secret", "--admin-token-file", "admin.token",
		"--signing-key", "key.pem", "--ready-file", "ready.json", "-v",
	}
	p := serve(t, dir, flags...)
	secrets := []string{"Canary-Seed-Horse-3"}
	w := &worker{url: p.URL, http: &http.Client{}, password: projectSecret, answered: newCountdown(1 << 30)}
	for range 5 {
		if !w.create() || !w.rotate(w.clients[len(w.clients)-1]) {
			t.Fatal("the load failed")
		}
		secrets = append(secrets, w.secrets...)
	}
	_, tokens, err := w.request("POST", tokenPath, grant("worker", "Canary-Seed-Horse-3"))
	if err != nil {
		t.Fatal(err)
	}
	accessToken, _ := tokens["access_token"].(string)
	if _, _, err := w.request("POST", tokenPath, grant("worker", "Wrong-Canary-Horse-4")); err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, accessToken, "Wrong-Canary-Horse-4")
	state := adminGet(t, p, token, "/state")
	log := adminGet(t, p, token, "/requests")
	whole := append([]string{projectSecret, token, base64.StdEncoding.EncodeToString(key.D.Bytes()), text(key.Primes[0])}, secrets...)
	redactor := redact.New(whole...)
	for name, content := range map[string]string{"the export": state, "the request log": log, "stderr": p.stderr.String(), "the command line": commandLine(t, p)} {
		if len(content) < 100 {
			t.Errorf("%s is too short: %q", name, content)
		}
		if redactor.Found(content) {
			t.Errorf("%s shows a secret", name)
		}
	}
	p.stop(t)
	for _, name := range []string{"key.pem", "project.secret", "admin.token", "seed.yaml"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	search(t, dir, append(secrets, token)...)
	if redact.New(whole...).Found(p.stderr.String()) {
		t.Error("stderr shows a secret")
	}
}

func text(n *big.Int) string { return base64.StdEncoding.EncodeToString(n.Bytes()) }

func adminGet(t *testing.T, p *process, token, path string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", p.AdminURL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%s: status %d, %v", path, response.StatusCode, err)
	}
	return string(body)
}

// commandLine is what other users of the machine can see of a process.
func commandLine(t *testing.T, p *process) string {
	t.Helper()
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.cmd.Process.Pid))
	if err != nil {
		t.Skip("no /proc here")
	}
	return strings.ReplaceAll(string(line), "\x00", " ")
}
