//go:build unix

package filejournal_test

import (
	"bufio"
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

// The tests below run this test binary as another process, which these environment variables
// control.
const (
	childDir   = "JOURNAL_CHILD_DIR"
	childPoint = "JOURNAL_CHILD_POINT" // where the second write stops; "" stops before it
)

// TestChild is the other process. It claims, writes, prints "held", waits for a line, writes again
// and prints the result.
func TestChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("other tests run it")
	}
	c := claim(t, openJournal(t, dir))
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
	err := c.Write(t.Context(), startedRecord("second"))
	fmt.Printf("busy: %t, written: %t\n", errors.Is(err, rotate.ErrBusy), err == nil)
}

type child struct {
	*exec.Cmd
	in  io.Writer
	out *bufio.Reader
}

// startChild returns when the child printed "held".
func startChild(t *testing.T, dir, point string) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), childDir+"="+dir, childPoint+"="+point)
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
		t.Fatalf("the child printed %q", line)
	}
	return c
}

func (c *child) line(t *testing.T) string {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the child printed %q, %v", line, err)
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

// After kill -9 at any point the record is the old or the new one, the client is free at once, and
// no other files stay.
func TestKilled(t *testing.T) {
	for point, want := range map[string]string{"": "first", "created": "first", "written": "first", "synced": "first", "renamed": "second"} {
		t.Run("at "+point, func(t *testing.T) {
			t.Parallel()
			dir := journalDir(t)
			c := startChild(t, dir, point)
			if _, err := openJournal(t, dir).Claim(t.Context(), "a", time.Hour); !errors.Is(err, rotate.ErrBusy) {
				t.Errorf("Claim while the child lives: %v, want %v", err, rotate.ErrBusy)
			}
			c.signal(t, syscall.SIGKILL)
			_ = c.Wait()

			next := claim(t, openJournal(t, dir))
			if r := next.Record(); r.Reason != want || r.Next.IsZero() {
				t.Errorf("found the record %q, want %q", r.Reason, want)
			}
			if err := next.Write(t.Context(), startedRecord("third")); err != nil {
				t.Error(err)
			}
			release(t, next)
			wantFiles(t, dir, "a.json")
		})
	}
}

// A process that is paused keeps its claim: other processes get ErrBusy, other clients are free,
// and its write succeeds later.
func TestPaused(t *testing.T) {
	for _, point := range []string{"", "created", "synced", "renamed"} {
		t.Run("at "+point, func(t *testing.T) {
			t.Parallel()
			dir := journalDir(t)
			c := startChild(t, dir, point)
			c.stop(t)
			j := openJournal(t, dir) // must not remove what the child is writing
			for range 2 {
				if _, err := j.Claim(t.Context(), "a", time.Nanosecond); !errors.Is(err, rotate.ErrBusy) {
					t.Errorf("Claim while the holder is paused: %v, want %v", err, rotate.ErrBusy)
				}
			}
			other, err := j.Claim(t.Context(), "b", time.Hour)
			if err != nil {
				t.Fatalf("Claim of another client: %v", err)
			}
			release(t, other)
			c.signal(t, syscall.SIGCONT)
			_, _ = fmt.Fprintln(c.in, "continue")
			if line := c.line(t); line != "busy: false, written: true" {
				t.Errorf("the child: %s", line)
			}
			_ = c.Wait()
			next := claim(t, j)
			if r := next.Record(); r.Reason != "second" {
				t.Errorf("the record is %q", r.Reason)
			}
			release(t, next)
			wantFiles(t, dir, "a.json")
		})
	}
}
