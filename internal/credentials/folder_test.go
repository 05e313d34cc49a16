package credentials

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stytchkit/m2m/stytch/secret"
)

// volume is a folder that is updated as the kubelet updates a mounted Secret.
type volume struct {
	t       *testing.T
	dir     string
	current string // name of the folder that ..data leads to
	n       int
}

func newVolume(t *testing.T) *volume { return &volume{t: t, dir: t.TempDir()} }

// set replaces all values at once and then removes what was there before.
func (v *volume) set(values map[string]string) {
	v.t.Helper()
	v.n++
	fresh := fmt.Sprintf("..2026_01_02_03_04_05.%09d", v.n)
	if err := os.MkdirAll(filepath.Join(v.dir, fresh, "sub"), 0o700); err != nil {
		v.t.Error(err)
	}
	link := func(target, path string) {
		if err := os.Symlink(target, path); err != nil && !errors.Is(err, fs.ErrExist) {
			v.t.Error(err)
		}
	}
	for name, value := range values {
		for _, at := range []string{name, "sub/" + name} {
			if err := os.WriteFile(filepath.Join(v.dir, fresh, at), []byte(value), 0o600); err != nil {
				v.t.Error(err)
			}
		}
		link("..data/"+name, filepath.Join(v.dir, name))
	}
	link("..data/sub", filepath.Join(v.dir, "sub"))
	link(fresh, filepath.Join(v.dir, "..data_tmp"))
	if err := os.Rename(filepath.Join(v.dir, "..data_tmp"), filepath.Join(v.dir, "..data")); err != nil {
		v.t.Error(err)
	}
	if v.current != "" {
		_ = os.RemoveAll(filepath.Join(v.dir, v.current))
	}
	v.current = fresh
}

func TestReadFolder(t *testing.T) {
	for name, tt := range map[string]struct {
		values map[string]string
		want   Credentials
		err    string
	}{
		"one secret":    {map[string]string{"client_id": client, "client_secret": "the-next-secret", "other": "x"}, alone, ""},
		"both secrets":  {map[string]string{"client_id": client, "client_secret": "the-next-secret", "previous_client_secret": "the-previous-secret"}, both, ""},
		"earlier name":  {map[string]string{"client_id": client, "client_secret": "the-next-secret", "next_client_secret": "the-previous-secret"}, both, ""},
		"line feeds":    {map[string]string{"client_id": "\ufeff" + client + "\n", "client_secret": "the-next-secret\r\n"}, alone, ""},
		"no id":         {map[string]string{"client_secret": "canary"}, Credentials{}, "no file client_id"},
		"no secret":     {map[string]string{"client_id": client}, Credentials{}, "no file client_secret"},
		"quoted":        {map[string]string{"client_id": client, "client_secret": `"canary"`}, Credentials{}, "client_secret is enclosed in quotation marks"},
		"two previous":  {map[string]string{"client_id": client, "client_secret": "a", "previous_client_secret": "b", "next_client_secret": "c"}, Credentials{}, "two names of one value"},
		"too large":     {map[string]string{"client_id": client, "client_secret": strings.Repeat("x", MaxFile+1)}, Credentials{}, "larger than"},
		"not one value": {map[string]string{"client_id": client, "client_secret": "canary\ncanary"}, Credentials{}, "line break"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVolume(t)
			v.set(tt.values)
			for _, path := range []string{v.dir, filepath.Join(v.dir, "sub")} {
				got, err := Read(path)
				if tt.err == "" && (err != nil || !got.Equal(tt.want)) {
					t.Errorf("other credentials, error %v", err)
				}
				if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), v.dir) || strings.Contains(err.Error(), "canary")) {
					t.Errorf("error %v", err)
				}
			}
		})
	}
}

// TestReadPlainFolder: without the link of Kubernetes a file may be half written.
func TestReadPlainFolder(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "client_id"), client+"\n")
	put(t, filepath.Join(dir, "client_secret"), "the-next-sec")
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "half written") {
		t.Errorf("error %v", err)
	}
	put(t, filepath.Join(dir, "client_secret"), "the-next-secret\n")
	if got, err := Read(dir); err != nil || !got.Equal(alone) {
		t.Errorf("other credentials, error %v", err)
	}
}

// TestReadMovingFolder replaces the values while they are read: they always belong together.
func TestReadMovingFolder(t *testing.T) {
	v := newVolume(t)
	pair := func(n int) map[string]string {
		values := map[string]string{"client_id": client, "client_secret": fmt.Sprint("secret-", n)}
		if n%3 > 0 {
			values["previous_client_secret"] = fmt.Sprint("secret-", n-1)
		}
		return values
	}
	v.set(pair(0))
	done := make(chan struct{})
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				got, err := Read(v.dir)
				if err != nil {
					if !strings.Contains(err.Error(), "was replaced") { // it may be replaced too often, never mixed
						t.Error(err)
					}
					continue
				}
				var n int
				_, _ = fmt.Sscanf(got.Secret.Reveal(), "secret-%d", &n)
				if want := pair(n)["previous_client_secret"]; !got.Previous.Equal(secret.New(want)) {
					t.Errorf("secret %d is beside another previous one", n)
				}
			}
		})
	}
	for n := range 60 {
		v.set(pair(n))
	}
	close(done)
	group.Wait()
}
