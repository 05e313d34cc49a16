package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/store"
	"github.com/stytchkit/m2m/stytch/emulator"
)

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func load(t *testing.T, from emulator.Storage) map[string]string {
	t.Helper()
	all := map[string]string{}
	for r, err := range from.Load() {
		if err != nil {
			t.Fatal(err)
		}
		all[r.Kind+"/"+r.ID] = string(r.Value)
	}
	return all
}

func want(t *testing.T, got, want map[string]string) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func record(kind, id, value string) emulator.Record {
	r := emulator.Record{Kind: kind, ID: id}
	if value != "" {
		r.Value = []byte(value)
	}
	return r
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	s := open(t, path)
	c := s.Content()
	for _, records := range [][]emulator.Record{
		{record("a", "1", "{}"), record("a", "2", `{"x":1}`), record("ab", "1", "{}")},
		{record("a", "1", `{"y":2}`)},
		{record("a", "2", "")},
	} {
		if err := c.Save(records)(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SetSetting("clock", []byte("1h")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Save([]emulator.Record{record("a", "9", "{}")})(); err == nil {
		t.Error("a closed store accepted a record")
	}
	s = open(t, path)
	want(t, load(t, s.Content()), map[string]string{"a/1": `{"y":2}`, "ab/1": "{}"})
	if records, err := s.Records("a"); err != nil || len(records) != 1 || records[0].ID != "1" {
		t.Errorf("records of the kind a: %v, %v", records, err)
	}
	if value, err := s.Setting("clock"); string(value) != "1h" || err != nil {
		t.Errorf("setting: %q, %v", value, err)
	}
	if value, err := s.Setting("other"); value != nil || err != nil {
		t.Errorf("setting that was never written: %q, %v", value, err)
	}
}

// The order of Save is the order in the file, whatever goes into one transaction.
func TestOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	s := open(t, path)
	c := s.Content()
	var last func() error
	for i := range 500 {
		last = c.Save([]emulator.Record{record("a", "same", fmt.Sprint(i)), record("a", fmt.Sprint(i), "{}")})
	}
	if err := last(); err != nil { // waits for all earlier ones
		t.Fatal(err)
	}
	all := load(t, s.Content())
	if len(all) != 501 || all["a/same"] != "499" {
		t.Errorf("%d records, the last value is %s", len(all), all["a/same"])
	}
}

func TestConcurrentCallers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	s := open(t, path)
	c := s.Content()
	var callers sync.WaitGroup
	for caller := range 16 {
		callers.Go(func() {
			for i := range 20 {
				if err := c.Save([]emulator.Record{record("a", fmt.Sprintf("%d-%d", caller, i), "{}")})(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if all := load(t, open(t, path).Content()); len(all) != 320 {
		t.Errorf("%d records, want 320", len(all))
	}
}

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	s := open(t, path)
	before := s.Content()
	if err := before.Save([]emulator.Record{record("a", "1", "{}"), record("b", "1", "{}")})(); err != nil {
		t.Fatal(err)
	}
	staged := s.Stage([]emulator.Record{record("a", "2", "{}")})
	want(t, load(t, staged), map[string]string{"a/2": "{}"})
	if err := staged.Save([]emulator.Record{record("a", "3", "{}"), record("a", "4", "{}"), record("a", "4", "")})(); err != nil {
		t.Fatal(err)
	}
	want(t, load(t, s.Content()), map[string]string{"a/1": "{}", "b/1": "{}"}) // still
	before = s.Content()
	if err := staged.Replace(map[string][]byte{"clock": []byte("2h")}); err != nil {
		t.Fatal(err)
	}
	if err := before.Save([]emulator.Record{record("a", "late", "{}")})(); err != nil {
		t.Errorf("a save of the content that was replaced: %v", err)
	}
	if err := staged.Save([]emulator.Record{record("a", "5", "{}")})(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	want(t, load(t, s.Content()), map[string]string{"a/2": "{}", "a/3": "{}", "a/5": "{}"})
	if value, _ := s.Setting("clock"); string(value) != "2h" {
		t.Errorf("setting %q", value)
	}
}

func TestInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	open(t, path)
	if _, err := store.Open(path); !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), "already in use") {
		t.Errorf("the second one: %v", err)
	}
}

// Whatever is wrong with a file, Open says so and leaves it as it is.
func TestUnusableFiles(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	s := open(t, good)
	var many []emulator.Record
	for i := range 3000 {
		many = append(many, record("a", fmt.Sprintf("%08d", i), `{"name":"a client with a name of some length"}`))
	}
	if err := s.Content().Save(many)(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	damaged := func(at int) []byte {
		data := bytes.Clone(whole)
		copy(data[at:], bytes.Repeat([]byte{0xa5}, 512))
		return data
	}
	value := bytes.Index(whole, []byte("a client with"))
	flipped := bytes.Clone(whole)
	flipped[value] ^= 1

	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"empty":               {[]byte{}, store.ErrUnreadable},
		"text":                {[]byte(strings.Repeat("no database\n", 2000)), store.ErrUnreadable},
		"cut in the middle":   {whole[:len(whole)/2], store.ErrUnreadable},
		"cut to the first kB": {whole[:1024], store.ErrUnreadable},
		"zeros":               {make([]byte, len(whole)), store.ErrUnreadable},
		"damaged first pages": {append(bytes.Repeat([]byte{0xa5}, 2*os.Getpagesize()), whole[2*os.Getpagesize():]...), store.ErrUnreadable},
		"damaged page":        {damaged(value - value%os.Getpagesize()), store.ErrUnreadable},
		"flipped bit":         {flipped, store.ErrUnreadable},
		"other program":       {otherProgram(t), store.ErrUnreadable},
		"newer version":       {newerVersion(t, good), store.ErrNewer},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "data")
			if err := os.WriteFile(path, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			err := readAll(path)
			if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), path) {
				t.Errorf("got %v, want %v and the path", err, c.want)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, c.data) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

// readAll opens a file and reads all of it.
func readAll(path string) error {
	s, err := store.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, err := range s.Content().Load() {
		if err != nil {
			return err
		}
	}
	return nil
}

func otherProgram(t *testing.T) []byte {
	t.Helper()
	return written(t, filepath.Join(t.TempDir(), "other"), func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("things"))
		return err
	})
}

func newerVersion(t *testing.T, of string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "newer")
	data, err := os.ReadFile(of)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return written(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("settings")).Put([]byte("format"), store.Seal([]byte("stytch-emulator 2")))
	})
}

func written(t *testing.T, path string, change func(*bbolt.Tx) error) []byte {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permissions of this kind")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "data")
	open(t, path).Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the new file: %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(path); !errors.Is(err, store.ErrExposed) || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others can read: %v", err)
	}
	if _, err := store.Open(dir); !errors.Is(err, store.ErrUnreadable) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := store.Open(filepath.Join(dir, "missing", "data")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that does not exist: %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

// After a failure, nothing is written and no caller waits forever.
func TestFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	s := open(t, path)
	c := s.Content()
	staged := s.Stage(nil)
	tooLarge := record("a", strings.Repeat("x", 40_000), "{}") // a key that bbolt refuses
	wait := c.Save([]emulator.Record{tooLarge})
	if err := wait(); err == nil {
		t.Fatal("the key was accepted")
	}
	if s.Err() == nil {
		t.Error("the failure is not kept")
	}
	if err := c.Save([]emulator.Record{record("a", "1", "{}")})(); err == nil {
		t.Error("a save after the failure succeeded")
	}
	if err := s.SetSetting("clock", nil); err == nil {
		t.Error("a setting after the failure succeeded")
	}
	if err := staged.Replace(nil); err == nil {
		t.Error("a replacement after the failure succeeded")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	want(t, load(t, open(t, path).Content()), map[string]string{})
}
