//go:build unix

package postgres_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/internal/heavy"
)

// fleetRun is one run of TestScale.
type fleetRun struct {
	clients  int
	patience time.Duration

	front   *front
	address string
	dsn     string
	pool    *pgxpool.Pool
	journal *postgres.Journal
	ids     []string

	workers []*hand // that are at work
	killed  *hand
	paused  *hand
	ended   chan string // names of workers
	hired   int

	began time.Time
	took  time.Duration // until the last completion
	cpu   time.Duration // of this process meanwhile: the local Stytch and the shelves
}

// TestScale is a fleet that four worker processes rotate. One of them is killed and another one
// paused for longer than its lease, and each is replaced. Every client is completed once; nothing
// is overwritten, lost or left over.
func TestScale(t *testing.T) {
	t.Parallel()
	heavy.Only(t) // it waits for a lease to end
	r := &fleetRun{clients: 1000, patience: 2 * time.Second, ended: make(chan string, 16)}
	switch {
	case raceDetector:
		r.clients = 300
	case heavy.Long():
		r.clients, r.patience = 100_000, 10*time.Second
	}
	r.prepare(t)
	r.began = time.Now()
	spent := spentCPU(t)
	r.hire(t, 4)
	r.plan(t, r.ids[len(r.ids)/2:]) // while they work

	r.await(t, r.clients/10)
	for _, w := range r.workers {
		w.tenth = w.ask(t)
	}
	r.await(t, r.clients*3/10)
	r.kill(t)
	r.await(t, r.clients/2)
	r.pause(t)
	r.finish(t)
	r.cpu = spentCPU(t) - spent

	r.summary(t)
	r.checkWorkers(t)
	r.checkClients(t)
	r.checkServer(t)
	r.checkJournal(t)
}

// prepare makes the server, the shelves and the database, and plans the first half.
func (r *fleetRun) prepare(t *testing.T) {
	r.dsn = newSchema(t)
	r.pool = connect(t, r.dsn)
	r.journal = open(t, r.dsn)
	r.front = newFront(t, r.clients)
	server := httptest.NewServer(r.front)
	t.Cleanup(server.Close)
	r.address = server.URL
	for i := range r.clients {
		r.ids = append(r.ids, scaleClient(i))
	}
	r.plan(t, r.ids[:len(r.ids)/2])
}

func (r *fleetRun) plan(t *testing.T, ids []string) {
	if n, err := r.journal.Plan(t.Context(), ids); n != len(ids) || err != nil {
		t.Fatalf("Plan: %d of %d, %v", n, len(ids), err)
	}
}

// hire starts more workers.
func (r *fleetRun) hire(t *testing.T, n int) {
	projectID, projectSecret := r.front.Credentials()
	for range n {
		r.hired++
		r.workers = append(r.workers, startHand(t, r.dsn, order{
			Name: fmt.Sprintf("worker-%d", r.hired), Key: key.Reveal(),
			Project: projectID, Secret: projectSecret, Address: r.address, Patience: r.patience,
		}, r.ended))
	}
}

// await waits until so many rotations were completed. No worker ends before.
func (r *fleetRun) await(t *testing.T, completed int) {
	select {
	case <-r.front.reached(completed):
	case name := <-r.ended:
		t.Fatalf("%s ended before %d rotations were completed", name, completed)
	}
}

// kill ends a worker in the middle of its work.
func (r *fleetRun) kill(t *testing.T) {
	r.killed, r.workers = r.workers[0], r.workers[1:]
	r.killed.last = r.killed.ask(t)
	if err := r.killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-r.ended
	_ = r.killed.Wait() // its error is that it was killed
	r.killed.cpu = r.killed.ProcessState.UserTime() + r.killed.ProcessState.SystemTime()
	r.hire(t, 1)
}

// pause stops a worker until others have taken over all of its claims, and then continues it, with
// the responses to its earlier requests. It is stopped while it waits for these: a request that is
// decided but not sent is the one thing that cannot be kept from taking effect late.
func (r *fleetRun) pause(t *testing.T) {
	r.paused = r.workers[0]
	waiting, release := r.front.hold(r.paused.name, scaleConcurrency)
	t.Cleanup(release)
	select {
	case <-waiting:
	case <-time.After(r.patience):
		t.Fatalf("%s does not work on %d clients at once", r.paused.name, scaleConcurrency)
	}
	r.signal(t, syscall.SIGSTOP)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(r.paused.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("%s did not stop: %v", r.paused.name, err)
	}
	r.hire(t, 1)
	release()
	host, _ := os.Hostname()
	owner := fmt.Sprintf("%.64s/%d/", host, r.paused.Process.Pid)
	const held = `SELECT count(*) FROM stytch_rotation WHERE due_at IS NOT NULL AND starts_with(owner, $1)`
	if n := query1[int](t, r.pool, held, owner); n != scaleConcurrency {
		t.Fatalf("%s holds %d claims, want %d", r.paused.name, n, scaleConcurrency)
	}
	patience := time.After(20 * r.patience)
	for query1[int](t, r.pool, held, owner) > 0 {
		select {
		case <-time.After(r.patience / 8):
		case <-patience:
			t.Fatalf("nobody took over what %s held", r.paused.name)
		}
	}
	r.signal(t, syscall.SIGCONT)
}

func (r *fleetRun) signal(t *testing.T, s syscall.Signal) {
	if err := r.paused.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// finish hears the last words of all workers, which end when nothing is left.
func (r *fleetRun) finish(t *testing.T) {
	for _, w := range r.workers {
		for s := range w.samples {
			w.last = s
		}
		if err := w.Wait(); err != nil || !w.last.Final {
			t.Fatalf("%s: %v", w.name, err)
		}
		w.cpu = w.ProcessState.UserTime() + w.ProcessState.SystemTime()
	}
	r.took = r.front.lastCompletion().Sub(r.began)
}

func spentCPU(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// summary is the figures of docs/benchmarks.md.
func (r *fleetRun) summary(t *testing.T) {
	byOperation, requests := r.front.requests()
	statements, idle := r.statements()
	n := float64(r.clients)
	var workers strings.Builder
	cpu := r.killed.cpu
	for _, w := range r.workers {
		fmt.Fprintf(&workers, " %s %s", w.name, mib(w.last.Peak, w.last.Heap))
		if w.tenth.Done > 0 {
			fmt.Fprintf(&workers, " (at 10 %%: %s)", mib(w.tenth.Peak, w.tenth.Heap))
		}
		cpu += w.cpu
	}
	t.Logf("%d clients in %.1f s: %.0f rotations/s, %.0f API requests/s, %.2f SQL/rotation and %d that found nothing due;"+
		" peak RSS/heap in MiB:%s; CPU/rotation: workers %.2f ms, server and shelves %.2f ms; requests %v",
		r.clients, r.took.Seconds(), n/r.took.Seconds(), float64(requests)/r.took.Seconds(), float64(statements-idle)/n, idle,
		workers.String(), cpu.Seconds()*1000/n, r.cpu.Seconds()*1000/n, byOperation)
}

func mib(peak, heap int64) string {
	return fmt.Sprintf("%.1f/%.1f", float64(peak)/(1<<20), float64(heap)/(1<<20))
}

// statements is how many the workers sent, and how many of them found nothing due. Of the one that
// was killed they are those until it was asked for the last time.
func (r *fleetRun) statements() (all, idle int64) {
	all, idle = r.killed.last.Statements, r.killed.last.Idle
	for _, w := range r.workers {
		all, idle = all+w.last.Statements, idle+w.last.Idle
	}
	return all, idle
}
