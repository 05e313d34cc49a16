package selfsigned_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/selfsigned"
)

func load(t *testing.T, dir string, hosts []string, now time.Time) selfsigned.Files {
	t.Helper()
	files, err := selfsigned.Load(dir, hosts, now)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// verify checks a certificate as a client does that trusts the authority.
func verify(files selfsigned.Files, host string, now time.Time) error {
	text, err := os.ReadFile(files.CA)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	_, err = files.Certificate.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: host, CurrentTime: now})
	return err
}

// A key that others can read may be known to them: it is not used.
func TestExposedKey(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no mode there")
	}
	dir, now := t.TempDir(), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	load(t, dir, nil, now)
	if err := os.Chmod(filepath.Join(dir, "key.pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := selfsigned.Load(dir, nil, now); err == nil || !strings.Contains(err.Error(), "others can read") {
		t.Errorf("error %v", err)
	}
}

func TestLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "tls")
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	files := load(t, dir, []string{"stytch.example", "10.0.0.1"}, now)
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "stytch.example", "10.0.0.1"} {
		if err := verify(files, host, now); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := verify(files, "other.example", now); err == nil {
		t.Error("it is good for another host")
	}
	if info, err := os.Stat(filepath.Join(dir, "key.pem")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("the folder has %v: the key of the authority must not be kept", entries)
	}

	for name, c := range map[string]struct {
		hosts []string
		now   time.Time
		same  bool
	}{
		"again":            {nil, now.Add(time.Hour), true},
		"before it ends":   {nil, now.Add(396 * 24 * time.Hour), false},
		"before its time":  {nil, now.Add(-2 * time.Hour), false},
		"for another host": {[]string{"other.example"}, now, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			first := load(t, dir, nil, now)
			second := load(t, dir, c.hosts, c.now)
			if same := first.Certificate.Leaf.Equal(second.Certificate.Leaf); same != c.same {
				t.Errorf("the same certificate: %v, want %v", same, c.same)
			}
			if err := verify(second, "localhost", c.now); err != nil {
				t.Error(err)
			}
			if _, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	load(t, dir, nil, time.Now())
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := selfsigned.Load(dir, nil, time.Now()); err == nil {
		t.Error("files that do not belong together are replaced")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := selfsigned.Load(filepath.Join(file, "tls"), nil, time.Now()); err == nil {
		t.Error("a folder below a file was made")
	}
}
