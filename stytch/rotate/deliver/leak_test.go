package deliver_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

// canary is a secret that is in no other text, with characters that encodings change.
func canary() secret.String { return secret.New(rand.Text() + `/+"é&<` + rand.Text()) }

var (
	base64Run = regexp.MustCompile(`[A-Za-z0-9+/_-]{8,}`)
	hexRun    = regexp.MustCompile(`[0-9A-Fa-f]{12,}`)
)

// leaks reports whether eight characters in a row of the random parts of a secret are in text, as
// they are or in base64 or hexadecimal, at whatever place of something larger.
func leaks(text string, secrets ...secret.String) bool {
	texts := []string{text}
	for _, run := range hexRun.FindAllString(text, -1) {
		for start := range 2 {
			run := run[start:]
			if decoded, err := hex.DecodeString(run[:len(run)/2*2]); err == nil {
				texts = append(texts, string(decoded))
			}
		}
	}
	for _, run := range base64Run.FindAllString(text, -1) {
		run = strings.NewReplacer("-", "+", "_", "/").Replace(run)
		for start := range 4 {
			if run := run[start:]; len(run) >= 4 {
				decoded, _ := base64.StdEncoding.DecodeString(run[:len(run)/4*4])
				texts = append(texts, string(decoded))
			}
		}
	}
	for _, s := range secrets {
		for _, random := range strings.Split(s.Reveal(), `/+"é&<`) {
			for i := 0; i+8 <= len(random); i++ {
				for _, text := range texts {
					if strings.Contains(text, random[i:i+8]) {
						return true
					}
				}
			}
		}
	}
	return false
}

// encodings is what a server or a program may make of a secret.
func encodings(s string) map[string]string {
	quoted, _ := json.Marshal(s)
	larger, _ := json.Marshal(map[string]string{"client_id": "m2m-client-test-1", "client_secret": s, "z": "z"})
	return map[string]string{
		"plain": s, "JSON": string(quoted), "Go": fmt.Sprintf("%q", s), "query": url.QueryEscape(s), "path": url.PathEscape(s),
		"hex": hex.EncodeToString([]byte(s)), "HEX": fmt.Sprintf("%X", s),
		"base64": base64.StdEncoding.EncodeToString([]byte(s)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(s)),
		"base64 of larger":  base64.StdEncoding.EncodeToString(larger),
		"base64 of larger1": base64.StdEncoding.EncodeToString(append([]byte("1"), larger...)),
		"base64 of larger2": base64.URLEncoding.EncodeToString(append([]byte("12"), larger...)),
		"half":              s[:len(s)/2], "wrapped": s[:10] + "\n" + s[10:],
	}
}

// TestOracle shows that leaks finds each of the encodings, so that the other tests can fail.
func TestOracle(t *testing.T) {
	s := canary()
	for name, text := range encodings(s.Reveal()) {
		if !leaks("prefix "+text+" suffix", s) {
			t.Errorf("%s: not found", name)
		}
	}
	if leaks("nothing of it, "+rand.Text(), s) {
		t.Error("found where it is not")
	}
}

// TestTail puts a secret across each place where long output is cut. The secret has no lower case
// letter, the rest nothing else.
func TestTail(t *testing.T) {
	s := rand.Text() + rand.Text()
	for n := range len(s) + 20 {
		before, after := strings.Repeat("x", n), strings.Repeat("y", 1000)
		for name, got := range map[string]string{
			"tail":           deliver.Tail([]string{strings.Repeat("x", 2000) + s + before + after}, s),
			"tail of many":   deliver.Tail([]string{strings.Repeat(s, 50) + before}, s),
			"tail in pieces": deliver.Tail([]string{strings.Repeat("x", 2000), s[:n%len(s)], s[n%len(s):], before, after}, s),
		} {
			left := strings.TrimSuffix(strings.ReplaceAll(got, secret.Placeholder, ""), `…"`)
			for n := len(secret.Placeholder) - 1; n > 0; n-- { // it may be cut too
				if end, found := strings.CutSuffix(left, secret.Placeholder[:n]); found {
					left = end
					break
				}
			}
			if strings.ContainsFunc(left, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= '2' && r <= '7' }) {
				t.Fatalf("%s, %d: a character of the secret is left", name, n)
			}
			if len(got) > 1100 {
				t.Fatalf("%s, %d: %d bytes are left", name, n, len(got))
			}
		}
	}
}

// TestPrints: a deliverer prints as what it is, whatever prints it.
func TestPrints(t *testing.T) {
	s := canary()
	vault, kubernetes := newVaultServer(t), newAPIServer(t)
	vault.token, kubernetes.token = s, s
	for want, value := range map[string]rotate.Deliverer{
		"deliver.File(/x)":                                    deliver.File("/x"),
		"deliver.Folder(/x)":                                  deliver.Folder("/x"),
		"deliver.Exec(x)":                                     deliver.Exec("x", "argument").WithEnv("VARIABLE=" + s.Reveal()),
		"deliver.Vault(" + vault.host() + ", kv)":             vault.deliverer(t, nil),
		"deliver.Kubernetes(" + kubernetes.host() + ", apps)": kubernetes.deliverer(t, nil),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%60v"} {
			if got := fmt.Sprintf(verb, value); got != want {
				t.Errorf("%s prints another text than %s", verb, want)
			}
		}
		var log strings.Builder
		encoded, err := json.Marshal(value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("made", "deliverer", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "deliverer", value)
		if leaks(log.String()+string(encoded)+fmt.Sprint(err), s) || strings.Contains(log.String(), "argument") {
			t.Errorf("%s: a log or JSON shows more than it", want)
		}
	}
}
