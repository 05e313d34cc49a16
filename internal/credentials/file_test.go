package credentials

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/secret"
)

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for content, want := range map[string]Credentials{
		client + "\nthe-next-secret\n":                                                                                    alone,
		"\ufeff" + client + "\r\nthe-next-secret\r\n\r\n":                                                                 alone,
		client + "\n the-next-secret\t\nthe-previous-secret\n":                                                            both,
		"\ufeff" + ` {"client_id":"` + client + `","client_secret":"the-next-secret"}`:                                    alone,
		`{"client_id":"` + client + `","client_secret":"the-next-secret","previous_client_secret":"the-previous-secret"}`: both,
		`{"client_id":"` + client + `","client_secret":"the-next-secret","next_client_secret":"the-previous-secret"}`:     both,
	} {
		put(t, path, content)
		if got, err := Read(path); err != nil || !got.Equal(want) {
			t.Errorf("%q: other credentials, error %v", content, err)
		}
	}
	for content, want := range map[string]string{
		"":                               "JSON object, or lines",
		"\ufeff":                         "JSON object, or lines",
		client + "\n":                    "JSON object, or lines",
		client + "\ncanary":              "half written",
		client + "\r\ncanary\r":          "half written",
		client + "\ncanary\ncan":         "half written",
		client + "\ncanary\ncanary\nx\n": "JSON object, or lines",
		client + "\n\"canary\"\n":        "client_secret is enclosed in quotation marks",
		client + "\ncan ary\n":           "client_secret contains a space",
		client + "\u200b\ncanary\n":      "client_id contains a zero-width character",
		`{"client_id":"` + client + `","client_secret":"can`: "not one JSON object",
		"\xff\xfec\x00\n\x00s\x00\n\x00":                     "not UTF-8",
		strings.Repeat("canary", MaxFile):                    "larger than",
	} {
		put(t, path, content)
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%.60q: error %v, want one with %q", content, err, want)
		}
	}
	if _, err := Read(path + "absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: error %v", err)
	}
}

// TestReadCut: no part of a file that ends too early is taken for a whole secret.
func TestReadCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, whole := range []string{
		client + "\nthe-next-secret\nthe-previous-secret\n",
		`{"client_id":"` + client + `","client_secret":"the-next-secret","previous_client_secret":"the-previous-secret"}`,
	} {
		for n := range len(whole) {
			put(t, path, whole[:n])
			if got, err := Read(path); err == nil && !got.Equal(alone) {
				t.Errorf("%q is read as a whole file", whole[:n])
			}
		}
	}
}

// TestWritableByAll holds the rule of each system on every system.
func TestWritableByAll(t *testing.T) {
	for _, tt := range []struct {
		mode       fs.FileMode
		unix, want bool
	}{
		{0o600, true, false}, {0o644, true, false}, {0o666, true, true}, {0o602, true, true},
		{0o666, false, false}, {0o444, false, false}, // all that Windows reports
	} {
		if got := writableByAll(tt.mode, tt.unix); got != tt.want {
			t.Errorf("%o, Unix %t: %t", tt.mode, tt.unix, got)
		}
	}
}

// FuzzReadFile: whatever a file holds, the result can be used or the error quotes none of it.
func FuzzReadFile(f *testing.F) {
	for _, seed := range []string{
		"id\nsecret\n", "id\r\nsecret\r\nprevious\r\n", "\ufeffid\nsecret\n", "id\nsec", `{"client_id":"id","client_secret":"secret"}`,
		"\"id\"\nsecret\n", "id\n\u200bsecret\n", "{", "\xff\xfe", "id\n\nsecret\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseFile(data)
		if err != nil {
			if !c.Equal(Credentials{}) || len(err.Error()) > 200 {
				t.Fatal("credentials beside the error, or an error that is not fixed")
			}
			return
		}
		trimmed := bytes.TrimSpace(bytes.TrimPrefix(data, []byte(bom)))
		if !bytes.HasPrefix(trimmed, []byte("{")) && !bytes.HasSuffix(data, []byte("\n")) {
			t.Error("a file that may be half written")
		}
		for _, s := range []secret.String{secret.New(c.ClientID), c.Secret, c.Previous} {
			if again, err := Text("x", s.Reveal()); err != nil || again != s.Reveal() {
				t.Errorf("a value that no one may have: %v", err)
			}
		}
	})
}
