//go:build unix

package postgres_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stytchkit/m2m/contrib/postgres"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

const (
	scaleJob         = "scale" // of a worker process: see work
	scaleConcurrency = 16
)

// order is the first line that a worker of a fleet reads. Secrets travel there and nowhere else.
type order struct {
	Name, Key                string
	Project, Secret, Address string
	Patience                 time.Duration // with a call; a quarter of a lease
}

// sample is what a worker reports when asked, and at its end.
type sample struct {
	Final              bool
	Done, Failed, Busy int
	Failures           []string
	Statements, Idle   int64 // Idle of them found nothing that is due
	Heap, Peak         int64 // bytes: the heap after a collection, and the most that was ever resident
}

// workScale is a worker process that works on a fleet until nothing is left. Every line after the
// first asks for a sample.
func workScale(dsn string, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	lines := json.NewDecoder(in)
	var o order
	if err := lines.Decode(&o); err != nil {
		return err
	}
	p := &process{out: json.NewEncoder(out)}
	workers, end, err := o.fleet(ctx, dsn, p)
	if err != nil {
		return err
	}
	defer end()
	go func() {
		defer cancel() // the parent is gone
		for lines.Decode(&struct{}{}) == nil {
			p.tell(fleet.Report{Done: int(p.done.Load())}, false)
		}
	}()
	report, err := workers.Run(ctx, nil)
	if err != nil {
		return err
	}
	p.tell(report, true)
	return nil
}

// fleet is the whole stack, as a service has it.
func (o order) fleet(ctx context.Context, dsn string, p *process) (_ *fleet.Fleet, end func(), err error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, nil, err
	}
	config.MaxConns, config.ConnConfig.Tracer = 8, p
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	journal, err := postgres.New(pool, project, secret.New(o.Key))
	if err != nil {
		return nil, nil, err
	}
	api, err := stytch.New(o.Project, o.Secret, stytch.WithBaseURL(o.Address), stytch.WithUserAgent(o.Name))
	if err != nil {
		return nil, nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = scaleConcurrency
	rotator, err := rotate.New(api.M2M.Secrets, courier{o, &http.Client{Transport: transport}}, journal,
		rotate.WithCallTimeout(o.Patience), rotate.WithDeliveryTimeout(o.Patience), rotate.WithCleanupTimeout(o.Patience),
		rotate.WithObserver(p.observe))
	if err != nil {
		return nil, nil, err
	}
	workers, err := fleet.New(rotator, fleet.WithConcurrency(scaleConcurrency), fleet.WithMaxFailures(10_000))
	return workers, pool.Close, err
}

// process counts what this process does.
type process struct {
	done, statements, idle atomic.Int64

	mu  sync.Mutex
	out *json.Encoder
}

func (p *process) observe(_ context.Context, e rotate.Event) {
	if e.Err == nil && e.To == rotate.Completed {
		p.done.Add(1)
	}
}

func (p *process) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	p.statements.Add(1)
	if strings.Contains(data.SQL, "SELECT extract(epoch FROM least(") { // how long to wait, asked after another one found nothing
		p.idle.Add(2)
	}
	return ctx
}

func (p *process) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (p *process) tell(r fleet.Report, final bool) {
	s := sample{
		Final: final, Done: r.Done, Failed: r.Failed, Busy: r.Busy,
		Statements: p.statements.Load(), Idle: p.idle.Load(), Peak: peak(),
	}
	for _, err := range r.Failures[:min(3, len(r.Failures))] {
		s.Failures = append(s.Failures, err.Error())
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.Heap = int64(m.HeapAlloc)
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.out.Encode(s)
}

// peak is the largest resident memory so far, in bytes; 0 where the system does not report it.
func peak() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, _, _ := strings.Cut(rest, "kB")
	n, _ := strconv.ParseInt(strings.TrimSpace(kilobytes), 10, 64)
	return n << 10
}

// courier delivers to the shelves of the front.
type courier struct {
	order  order
	client *http.Client
}

func (c courier) Deliver(ctx context.Context, d rotate.Delivery) error {
	body, err := json.Marshal(parcel{d.RotationID, d.Secret.Reveal(), d.Previous.Reveal()})
	if err != nil {
		return err
	}
	return c.send(ctx, http.MethodPut, d.ClientID, body, nil)
}

func (c courier) Read(ctx context.Context, clientID string) (rotate.Delivery, error) {
	var p parcel
	err := c.send(ctx, http.MethodGet, clientID, nil, &p)
	return rotate.Delivery{RotationID: p.Rotation, ClientID: clientID, Secret: secret.New(p.Secret), Previous: secret.New(p.Previous)}, err
}

func (c courier) send(ctx context.Context, method, clientID string, body []byte, into *parcel) error {
	r, err := http.NewRequestWithContext(ctx, method, c.order.Address+shelfPath+clientID, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", c.order.Name)
	answer, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("the shelf answers %s", answer.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// hand is such a worker process, seen from outside.
type hand struct {
	*exec.Cmd
	name    string
	asks    *json.Encoder
	samples chan sample // closed when it has ended
	tenth   sample      // when a tenth of the rotations was completed
	last    sample
	cpu     time.Duration // at its end
}

func startHand(t *testing.T, dsn string, o order, ended chan<- string) *hand {
	t.Helper()
	h := &hand{Cmd: exec.Command(os.Args[0]), name: o.Name, samples: make(chan sample, 4)}
	h.Env = append(os.Environ(), workerMark+"="+scaleJob, workerDatabase+"="+dsn)
	h.Stderr = os.Stderr
	in, err := h.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		defer close(h.samples)
		lines := json.NewDecoder(out)
		for {
			var s sample
			if lines.Decode(&s) != nil {
				ended <- h.name
				return
			}
			select {
			case h.samples <- s:
			case <-t.Context().Done():
			}
		}
	}()
	t.Cleanup(func() {
		_ = h.Process.Kill()
		<-heard
		_ = h.Wait()
	})
	h.asks = json.NewEncoder(in)
	if err := h.asks.Encode(o); err != nil {
		t.Fatal(err)
	}
	return h
}

// ask gets a sample of a worker that is at work.
func (h *hand) ask(t *testing.T) sample {
	t.Helper()
	if err := h.asks.Encode(struct{}{}); err != nil {
		t.Fatal(err)
	}
	s, ok := <-h.samples
	if !ok || s.Final {
		t.Fatalf("%s ended too early: %v", h.name, s.Failures)
	}
	return s
}
