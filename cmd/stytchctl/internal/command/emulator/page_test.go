package emulator_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/admin"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
)

// block is the text of the first code block of a page with a language that contains a text.
func block(t *testing.T, page, language, containing string) string {
	t.Helper()
	for _, part := range strings.Split(page, "\n```"+language+"\n")[1:] {
		text, _, _ := strings.Cut(part, "```\n")
		if strings.Contains(text, containing) {
			return text
		}
	}
	t.Fatalf("the page has no block of %s with %q", language, containing)
	return ""
}

// The commands of docs/emulator.md do what they say, against a server with the page's own seed.
func TestPage(t *testing.T) {
	page := readFile(t, root+"/docs/emulator.md")
	dir := t.TempDir()
	for name, text := range map[string]string{
		seed.FileName: block(t, page, "yaml", "m2m_clients:"), "claims.json": `{"sub":"anyone"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := serve(t, dir)
	w := &worker{url: p.URL, http: http.DefaultClient}
	if status, _, err := w.request("POST", tokenPath, grant("worker", "Correct-Horse-9")); status != 200 {
		t.Fatalf("a token with the seed's client: status %d, %v", status, err)
	}
	ran := 0
	for line := range strings.Lines(page) {
		command, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "$ "), " #")
		words := strings.Fields(command)
		if len(words) < 3 || words[0] != "stytchctl" || words[1] != "emulator" || words[2] == "serve" || strings.Contains(command, " > ") {
			continue
		}
		for i, word := range words {
			if word == "KEY" {
				words[i] = firstKey(t, p)
			}
		}
		cmd := stytchctl(t.Context(), dir, words[1:]...)
		cmd.Env = append(cmd.Env, "STYTCH_EMULATOR_URL="+p.URL)
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", command, err, output)
		}
		ran++
	}
	if ran < 15 {
		t.Errorf("only %d commands were found", ran)
	}
}

// firstKey is the id of the oldest signing key.
func firstKey(t *testing.T, p *process) string {
	t.Helper()
	var keys admin.Keys
	if err := json.Unmarshal([]byte(adminGet(t, p, "", "/keys")), &keys); err != nil || len(keys.Keys) == 0 {
		t.Fatalf("keys: %v", err)
	}
	return keys.Keys[0].ID
}
