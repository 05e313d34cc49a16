//go:build unix

package deliver_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

// snapshot is all regular files below a folder, by name.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func equal(a, b map[string]string) bool {
	for name, text := range a {
		if other, there := b[name]; !there || other != text {
			return false
		}
	}
	return len(a) == len(b)
}

// obstacle is what may be where a file should be.
type obstacle struct {
	make func(t *testing.T, path string)
	is   error
	text string
}

// content makes a file.
func content(text string, mode fs.FileMode) func(*testing.T, string) {
	return func(t *testing.T, path string) { put(t, path, text, mode) }
}

// must makes something that is no such file.
func must(do func(path string) error) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		if err := do(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFileRefuses: an obstacle is an error that names it, and is left unchanged.
func TestFileRefuses(t *testing.T) {
	held := canary()
	good := form(clientID, held, "")
	for name, o := range map[string]obstacle{
		"other client":       {content(form("other", held, ""), 0o600), deliver.ErrOtherClient, `"other"`},
		"no client id":       {content(`{"client_secret":"x"}`, 0o600), deliver.ErrOtherClient, "no client_id"},
		"readable by all":    {content(good, 0o644), fs.ErrPermission, "0644"},
		"lines":              {content(clientID+"\n"+held.Reveal(), 0o600), nil, "not one JSON object"},
		"half written":       {content(good[:40], 0o600), nil, "not one JSON object"},
		"name twice":         {content(form(clientID, held, `,"client_id":"other"`), 0o600), nil, "repeated names"},
		"more behind it":     {content(good+"{}", 0o600), nil, "not one JSON object"},
		"secret no string":   {content(`{"client_id":"`+clientID+`","client_secret":[]}`, 0o600), nil, "must be a JSON string"},
		"too large":          {content(strings.Repeat(" ", 17<<10), 0o600), nil, "large"},
		"would be too large": {content(form(clientID, held, `,"x":"`+strings.Repeat("x", 16200)+`"`), 0o600), nil, "too large"},
		"symlink": {func(t *testing.T, path string) {
			put(t, path+".target", good, 0o600)
			must(func(path string) error { return os.Symlink(path+".target", path) })(t, path)
		}, nil, "symlink"},
		"dangling symlink": {must(func(path string) error { return os.Symlink(path+".absent", path) }), nil, "symlink"},
		"folder":           {must(func(path string) error { return os.Mkdir(path, 0o700) }), nil, "regular file"},
		"pipe":             {must(func(path string) error { return syscall.Mkfifo(path, 0o600) }), nil, "regular file"},
		"folder of all":    {must(func(path string) error { return os.Chmod(filepath.Dir(path), 0o777) }), fs.ErrPermission, "every user"},
		"foreign owner": {func(t *testing.T, path string) {
			put(t, path, good, 0o600)
			if err := os.Chown(path, 4321, -1); err != nil {
				t.Skip("only root can give files away")
			}
		}, fs.ErrPermission, "user 4321"},
	} {
		t.Run(name, func(t *testing.T) {
			readable := name == "folder of all" || name == "would be too large"
			o.isRefused(t, readable, held)
		})
	}
}

func (o obstacle) isRefused(t *testing.T, readable bool, held secret.String) {
	dir := t.TempDir()
	path := filepath.Join(dir, "credentials.json")
	o.make(t, path)
	before := snapshot(t, dir)
	d := rotate.Delivery{ClientID: clientID, Secret: canary(), Previous: canary()}
	err := deliver.File(path).Deliver(t.Context(), d)
	if err == nil {
		t.Fatal("no error")
	}
	if leaks(err.Error(), d.Secret, d.Previous, held) {
		t.Fatal("the error holds a secret")
	}
	if o.is != nil && !errors.Is(err, o.is) || !strings.Contains(err.Error(), o.text) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if !equal(before, snapshot(t, dir)) {
		t.Error("something was changed")
	}
	if _, err := deliver.File(path).Read(t.Context(), clientID); (err == nil) != readable {
		t.Errorf("read: error %t", err != nil)
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "clients")
	folder := deliver.Folder(dir)
	d := rotate.Delivery{ClientID: clientID, Secret: canary()}
	give(t, folder, d)
	for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, clientID+".json"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has another mode than %o, error %v", path, want, err)
		}
	}
	for _, id := range []string{".hidden", "-rf", "a b", "a*", "a:b", "ä", "a\u200bb", strings.Repeat("x", 129)} {
		d.ClientID = id
		if err := folder.Deliver(t.Context(), d); !errors.Is(err, rotate.ErrInvalidArgument) || !strings.Contains(err.Error(), "client") {
			t.Errorf("client id %q: error %v", id, err)
		}
	}
	d.ClientID = clientID
	for name, path := range map[string]string{"File": "", "Folder": ""} {
		var place rotate.Deliverer = deliver.File(path)
		if name == "Folder" {
			place = deliver.Folder(path)
		}
		if err := place.Deliver(t.Context(), d); !errors.Is(err, rotate.ErrInvalidArgument) {
			t.Errorf("%s without a path: error %v", name, err)
		}
	}
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := folder.Deliver(t.Context(), d); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a folder of others: error %v", err)
	}
}

// TestFileKeeps follows what lies beside a file through rotations.
func TestFileKeeps(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "credentials.json")
	a, b, c, none := canary0(), canary0(), canary0(), secret.String{}
	original := form(clientID, a, `, "note" : "ours",  "n":12345678901234567890 `)
	put(t, path, original, 0o600)
	steps := []struct {
		name             string
		secret, previous secret.String
		kept             bool // the file is unchanged
	}{
		{"first", b, a, true}, {"again", b, a, true}, {"another next one", c, a, true}, {"back", b, a, true},
		{"over", b, none, false}, {"again over", b, none, false},
	}
	file := deliver.File(path)
	for _, s := range steps {
		give(t, file, rotate.Delivery{ClientID: clientID, Secret: s.secret, Previous: s.previous})
		files := snapshot(t, dir)
		if got, there := files["credentials.json.previous"]; there != s.kept || there && got != original {
			t.Errorf("%s: what is kept is something else, or should not be there", s.name)
		}
		if !strings.Contains(files["credentials.json"], `"note":"ours","n":12345678901234567890`) {
			t.Errorf("%s: other members were changed", s.name)
		}
		if len(files) > 2 {
			t.Errorf("%s: %d files", s.name, len(files))
		}
	}

	// Going back by hand in the middle, as the documentation says.
	give(t, file, rotate.Delivery{ClientID: clientID, Secret: c, Previous: b})
	if err := os.Rename(path+".previous", path); err != nil {
		t.Fatal(err)
	}
	held, err := file.Read(t.Context(), clientID)
	if err != nil || !held.Secret.Equal(b) || !held.Previous.IsZero() {
		t.Errorf("the kept file holds something else, error %v", err)
	}

	// What an abandoned rotation left is replaced by what the next one can go back to.
	put(t, path+".previous", form(clientID, a, ""), 0o600)
	give(t, file, rotate.Delivery{ClientID: clientID, Secret: c, Previous: b})
	if kept, err := deliver.File(path+".previous").Read(t.Context(), clientID); err != nil || !kept.Secret.Equal(b) {
		t.Errorf("what is kept has a secret that is refused, error %v", err)
	}
}

// TestFileDies stops at each step of writing, then delivers again: at any time the file is the
// previous or the new one.
func TestFileDies(t *testing.T) {
	defer func() { atomicfile.Point = nil }()
	full := errors.New("the disk is full")
	a, b := canary0(), canary0()
	d := rotate.Delivery{ClientID: clientID, Secret: b, Previous: a}
	died := 0
	for stop := 1; ; stop++ {
		dir := t.TempDir()
		path := filepath.Join(dir, "credentials.json")
		put(t, path, form(clientID, a, ""), 0o600)
		reached, where := 0, ""
		atomicfile.Point = func(name string) error {
			if reached++; reached == stop {
				where = name
				return full
			}
			return nil
		}
		err := deliver.File(path).Deliver(t.Context(), d)
		atomicfile.Point = nil
		if where == "" {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		died++
		if !errors.Is(err, full) {
			t.Fatalf("%s: error %v", where, err)
		}
		file := deliver.File(path)
		held, err := file.Read(t.Context(), clientID)
		if err != nil || !held.Secret.Equal(a) && !(held.Secret.Equal(b) && held.Previous.Equal(a)) {
			t.Fatalf("step %d, %s: the file is neither the previous nor the new one, error %v", stop, where, err)
		}
		give(t, file, d)
		files := snapshot(t, dir)
		if held, err = file.Read(t.Context(), clientID); err != nil || !held.Secret.Equal(b) || !held.Previous.Equal(a) ||
			len(files) != 2 || !strings.Contains(files["credentials.json.previous"], `"`+a.Reveal()+`"`) {
			t.Fatalf("step %d, %s: not as it should be after another attempt, error %v", stop, where, err)
		}
	}
	if died != 8 { // four points for each of two files
		t.Errorf("stopped at %d points, want 8", died)
	}
}

// TestFileSweeps removes what a process left that died while writing.
func TestFileSweeps(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, ".unfinished-ABC"), "half a secret", 0o600)
	give(t, deliver.File(filepath.Join(dir, "f")), rotate.Delivery{ClientID: clientID, Secret: canary()})
	if files := snapshot(t, dir); len(files) != 1 {
		t.Errorf("%d files, want the one", len(files))
	}
}
