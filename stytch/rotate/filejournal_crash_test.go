//go:build unix

package rotate_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch/rotate"
)

// The tests below run this test binary as another process, which is told by its environment what to do.
const (
	childDir   = "JOURNAL_CHILD_DIR"
	childLife  = "JOURNAL_CHILD_LIFE"
	childPoint = "JOURNAL_CHILD_POINT" // where its second write stops; none: it stops before that
)

// TestJournalChild is the other process. It claims, writes, says "held", waits for a line, writes again and says what came of it.
func TestJournalChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("is run by other tests")
	}
	life, err := time.ParseDuration(os.Getenv(childLife))
	if err != nil {
		t.Fatal(err)
	}
	c := claimFor(t, openJournal(t, dir), life)
	if err := c.Write(t.Context(), startedRecord("first")); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(os.Stdin)
	wait := func() error {
		fmt.Println("held")
		_, err := in.ReadString('\n')
		return err
	}
	if point := os.Getenv(childPoint); point != "" {
		atomicfile.Point = func(name string) error {
			if name == point {
				return wait()
			}
			return nil
		}
	} else if err := wait(); err != nil {
		t.Fatal(err)
	}
	err = c.Write(t.Context(), startedRecord("second"))
	fmt.Printf("busy: %t, written: %t\n", errors.Is(err, rotate.ErrBusy), err == nil)
}

type child struct {
	*exec.Cmd
	in  io.Writer
	out *bufio.Reader
}

// startChild returns when the child said "held".
func startChild(t *testing.T, dir string, life time.Duration, point string) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestJournalChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), childDir+"="+dir, childLife+"="+life.String(), childPoint+"="+point)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	c := &child{cmd, in, bufio.NewReader(out)}
	if line := c.line(t); line != "held" {
		t.Fatalf("the child says %q", line)
	}
	return c
}

func (c *child) line(t *testing.T) string {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

func (c *child) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// stop pauses the child, and returns when it is paused.
func (c *child) stop(t *testing.T) {
	t.Helper()
	c.signal(t, syscall.SIGSTOP)
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(c.Process.Pid, &status, syscall.WUNTRACED, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || !status.Stopped() {
			t.Fatalf("the child did not stop: %v", err)
		}
		return
	}
}

// kill -9 anywhere: the record is the former or the new one, its client is free at once, and nothing half-written stays.
func TestFileJournalKilled(t *testing.T) {
	for point, want := range map[string]string{"": "first", "created": "first", "written": "first", "synced": "first", "renamed": "second"} {
		t.Run("at "+point, func(t *testing.T) {
			dir := journalDir(t)
			c := startChild(t, dir, time.Hour, point)
			if point != "renamed" { // where it holds the guard, which the next test is about
				if _, err := openJournal(t, dir).Claim(t.Context(), "a", time.Hour); !errors.Is(err, rotate.ErrBusy) {
					t.Errorf("Claim while the child lives: %v, want %v", err, rotate.ErrBusy)
				}
			}
			c.signal(t, syscall.SIGKILL)
			_ = c.Wait()

			j := openJournal(t, dir)
			claim := claimFor(t, j, time.Hour)
			if r := claim.Record(); r.Reason != want || r.Next.IsZero() {
				t.Errorf("found the record %q, want %q", r.Reason, want)
			}
			if err := errors.Join(claim.Write(t.Context(), startedRecord("third")), claim.Release(t.Context())); err != nil {
				t.Error(err)
			}
			if names, _ := filesIn(t, dir); fmt.Sprint(names) != "[a.json]" {
				t.Errorf("files at the end: %q", names)
			}
		})
	}
}

// A process that is paused past the end of its claim, and goes on after somebody took that over, must not overwrite.
func TestFileJournalPaused(t *testing.T) {
	for _, point := range []string{"", "created", "synced"} {
		t.Run("at "+point, func(t *testing.T) {
			dir := journalDir(t)
			c := startChild(t, dir, 50*time.Millisecond, point)
			c.stop(t)
			j := openJournal(t, dir) // which must leave alone what the child is writing
			holder := takeOver(t, j)
			if err := holder.Write(t.Context(), startedRecord("holder")); err != nil {
				t.Fatal(err)
			}
			c.signal(t, syscall.SIGCONT)
			fmt.Fprintln(c.in, "go on")
			if line := c.line(t); line != "busy: true, written: false" {
				t.Errorf("the child: %s", line)
			}
			if r, err := j.Read(t.Context(), "a"); err != nil || r.Reason != "holder" {
				t.Errorf("the record is %q, %v", r.Reason, err)
			}
			if err := holder.Release(t.Context()); err != nil {
				t.Error(err)
			}
			if names, _ := filesIn(t, dir); fmt.Sprint(names) != "[a.json]" {
				t.Errorf("files at the end: %q", names)
			}
		})
	}
}

// A process that is paused while it holds the guard holds everybody up, but nobody longer than their context.
func TestFileJournalPausedInGuard(t *testing.T) {
	dir := journalDir(t)
	c := startChild(t, dir, 50*time.Millisecond, "renamed")
	c.stop(t)
	j := openJournal(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := j.Claim(ctx, "b", time.Hour); !errors.Is(err, rotate.ErrJournal) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Claim of another client meanwhile: %v", err)
	}
	c.signal(t, syscall.SIGCONT)
	fmt.Fprintln(c.in, "go on")
	if line := c.line(t); line != "busy: false, written: true" {
		t.Errorf("the child: %s", line)
	}
	if r := takeOver(t, j).Record(); r.Reason != "second" {
		t.Errorf("the record is %q", r.Reason)
	}
}

// takeOver claims as soon as it can.
func takeOver(t *testing.T, j rotate.Journal) rotate.Claim {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		c, err := j.Claim(ctx, "a", time.Hour)
		if err == nil {
			return c
		}
		timer := time.NewTimer(5 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		if !errors.Is(err, rotate.ErrBusy) {
			t.Fatal(err)
		}
	}
}
