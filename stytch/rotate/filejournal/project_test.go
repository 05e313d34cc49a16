//go:build unix

package filejournal_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
)

// A folder belongs to one project: the first that opened it, or the one whose records it has.
func TestFolderOfAProject(t *testing.T) {
	const other = "project-test-2"
	dir := journalDir(t)
	j := openJournal(t, dir)
	openJournal(t, dir)
	if data, err := os.ReadFile(filepath.Join(dir, "project")); err != nil || string(data) != journalProject+"\n" {
		t.Errorf("the file has %q, %v", data, err)
	}
	refused := func(what, named string) {
		t.Helper()
		_, err := filejournal.New(dir, other)
		if !errors.Is(err, rotate.ErrOtherProject) || !strings.Contains(err.Error(), "use a folder for each project") || !strings.Contains(err.Error(), named) {
			t.Errorf("%s: %v, want %v that names %q", what, err, rotate.ErrOtherProject, named)
		}
	}
	refused("a folder without records", filepath.Join(dir, "project"))
	c := claim(t, j)
	r := startedRecord("")
	r.State = rotate.Completed
	if err := c.Write(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	release(t, c)
	if err := os.Remove(filepath.Join(dir, "project")); err != nil { // as earlier versions left it
		t.Fatal(err)
	}
	refused("records of a finished rotation", filepath.Join(dir, "a.json"))
	if err := os.WriteFile(filepath.Join(dir, "b.json"), []byte("{}"), 0o600); err != nil { // belongs to no project
		t.Fatal(err)
	}
	openJournal(t, dir)
	refused("a folder that was bound later", filepath.Join(dir, "project"))
}

// Of two projects that open a new folder at the same time, one gets it.
func TestFolderOfAProjectConcurrently(t *testing.T) {
	for range 20 {
		dir := journalDir(t)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		var opened [2]atomic.Int32
		for i := range 8 {
			group.Go(func() {
				_, err := filejournal.New(dir, []string{journalProject, "project-test-2"}[i%2])
				switch {
				case err == nil:
					opened[i%2].Add(1)
				case !errors.Is(err, rotate.ErrOtherProject):
					t.Error(err)
				}
			})
		}
		group.Wait()
		if a, b := opened[0].Load(), opened[1].Load(); a+b != 4 || a*b != 0 {
			t.Errorf("%d journals of one project and %d of the other were opened", a, b)
		}
	}
}
