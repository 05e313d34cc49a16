//go:build unix

package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	workerMark     = "M2M_POSTGRES_WORKER"
	workerDatabase = "M2M_POSTGRES_DATABASE"
	subject        = "m2m-client-subject"
)

// work is a worker process. It claims the subject, and then writes a record for every line it
// reads, or without end. Its key, which the records of these tests need not keep from anybody, is
// the first line.
func work(job, dsn string, in io.Reader, out io.Writer) error {
	if job == scaleJob {
		return workScale(dsn, in, out)
	}
	ctx := context.Background()
	lines := bufio.NewScanner(in)
	lines.Scan()
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	journal, err := postgres.New(pool, project, secret.New(lines.Text()))
	if err != nil {
		return err
	}
	life := time.Minute
	if job == "short" {
		life = 200 * time.Millisecond
	}
	claim, err := journal.Claim(ctx, subject, life)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "claimed")
	for n := 1; job == "endless" || lines.Scan(); n++ {
		switch err := claim.Write(ctx, numbered(n)); {
		case err == nil:
			fmt.Fprintln(out, n)
		case errors.Is(err, rotate.ErrBusy):
			fmt.Fprintln(out, "busy")
		default:
			return err
		}
	}
	return nil
}

// numbered returns a record with a number in it.
func numbered(n int) rotate.Record {
	return rotate.Record{
		RotationID: "r", ClientID: subject, State: rotate.Started, Restarts: n,
		Current: secret.New("current"), Next: secret.New(strings.Repeat("n", 1+n%40)),
	}
}

// worker is a worker process, seen from outside.
type worker struct {
	*exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

func startWorker(t *testing.T, job, dsn string) *worker {
	t.Helper()
	w := &worker{Cmd: exec.Command(os.Args[0])}
	w.Env = append(os.Environ(), workerMark+"="+job, workerDatabase+"="+dsn)
	w.Stderr = os.Stderr
	in, err := w.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	w.in, w.lines = in, bufio.NewScanner(out)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.Process.Kill()
		_ = w.Wait()
	})
	w.say(t, key.Reveal())
	if line := w.hear(t); line != "claimed" {
		t.Fatalf("the worker said %q", line)
	}
	return w
}

func (w *worker) say(t *testing.T, line string) {
	t.Helper()
	if _, err := fmt.Fprintln(w.in, line); err != nil {
		t.Fatal(err)
	}
}

func (w *worker) hear(t *testing.T) string {
	t.Helper()
	if !w.lines.Scan() {
		t.Fatalf("the worker ended: %v", w.lines.Err())
	}
	return w.lines.Text()
}

func (w *worker) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := w.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// takeOver claims the subject as soon as that is possible.
func takeOver(t *testing.T, j rotate.Journal) rotate.Claim {
	t.Helper()
	patience := time.After(30 * time.Second)
	for {
		claim, err := j.Claim(t.Context(), subject, time.Minute)
		if err == nil {
			return claim
		}
		if !errors.Is(err, rotate.ErrBusy) {
			t.Fatal(err)
		}
		select {
		case <-patience:
			t.Fatal("the claim of a worker that does not write did not end")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestPausedWorkerOverwritesNothing(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	j := open(t, dsn)
	w := startWorker(t, "short", dsn)
	w.say(t, "write")
	if line := w.hear(t); line != "1" {
		t.Fatalf("the worker said %q", line)
	}
	w.signal(t, syscall.SIGSTOP)
	claim := takeOver(t, j) // after its lease
	if n := claim.Record().Restarts; n != 1 {
		t.Fatalf("took over record %d, want 1", n)
	}
	w.say(t, "write") // what it was about to do
	if err := claim.Write(t.Context(), numbered(100)); err != nil {
		t.Fatal(err)
	}
	w.signal(t, syscall.SIGCONT)
	if line := w.hear(t); line != "busy" {
		t.Errorf("the worker was paused past its lease and said %q, want busy", line)
	}
	if r := read(t, j); r.Restarts != 100 {
		t.Errorf("the journal has record %d, want the one of the worker that took over", r.Restarts)
	}
	if err := claim.Write(t.Context(), numbered(101)); err != nil {
		t.Errorf("the claim that took over: %v", err)
	}
}

func read(t *testing.T, j rotate.Journal) rotate.Record {
	t.Helper()
	r, err := j.Read(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A worker is killed while it writes as fast as it can. What it said was written is there, whole.
func TestKilledWorkerLosesNothing(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	pool := connect(t, dsn)
	j := open(t, dsn)
	for round := range heavy.Count(3, 8) {
		exec1(t, pool, `DELETE FROM stytch_rotation`)
		w := startWorker(t, "endless", dsn)
		last := 0
		for range 1 + 7*round {
			last, _ = strconv.Atoi(w.hear(t))
		}
		w.signal(t, syscall.SIGKILL)
		for w.lines.Scan() { // what it had said before it died; the last line may be cut off
			if n, err := strconv.Atoi(w.lines.Text()); err == nil {
				last = max(last, n)
			}
		}
		if n := read(t, j).Restarts; n < last || n > last+1 {
			t.Fatalf("round %d: record %d is stored, and %d was acknowledged", round, n, last)
		}
		if _, err := j.Claim(t.Context(), subject, time.Minute); !errors.Is(err, rotate.ErrBusy) {
			t.Fatalf("the claim of a dead worker before its end: %v, want ErrBusy", err)
		}
	}
}

// A worker is killed while the database works on its statement: it is done whole or not at all.
func TestWorkerKilledDuringStatement(t *testing.T) {
	t.Parallel()
	dsn := newSchema(t)
	pool := connect(t, dsn)
	j := open(t, dsn)
	w := startWorker(t, "long", dsn+" application_name=worker")
	w.say(t, "write")
	w.hear(t)

	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT 1 FROM stytch_rotation FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	w.say(t, "write")
	ofWorker := `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'worker'`
	eventually(t, "the worker's statement waits for the row", func() bool {
		return query1[int](t, pool, ofWorker+` AND wait_event_type = 'Lock'`) > 0
	})
	w.signal(t, syscall.SIGKILL)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the database is through with the statement", func() bool { return query1[int](t, pool, ofWorker) == 0 })
	if n := read(t, j).Restarts; n != 1 && n != 2 {
		t.Errorf("record %d is stored, want 1 or 2", n)
	}
	exec1(t, pool, `UPDATE stytch_rotation SET lease_until = clock_timestamp()`) // some minutes later
	claim := takeOver(t, j)
	if err := claim.Write(t.Context(), numbered(3)); err != nil {
		t.Fatal(err)
	}
	if n := read(t, j).Restarts; n != 3 {
		t.Errorf("record %d is stored, want 3", n)
	}
}
