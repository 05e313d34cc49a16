//go:build unix

package rotate_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/atomicfile"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
	"github.com/stytchkit/m2m/stytch/secret"
)

const benchClients = "M2M_ROTATE_BENCH_CLIENTS" // how many the server process has

// benchServer is what the server process says of itself on its standard output.
type benchServer struct{ URL, ProjectID, Secret, Key string }

// first is the first secret of a client. It is computed, so that it need not be kept.
func (s benchServer) first(id string) secret.String {
	sum := hmac.New(sha256.New, []byte(s.Key))
	sum.Write([]byte(id))
	return secret.New(hex.EncodeToString(sum.Sum(nil)))
}

func benchClient(i int) string { return fmt.Sprintf("client-%05d", i) }

// TestBenchServer is the server process of the benchmarks: a local Stytch, until its standard input
// ends.
func TestBenchServer(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv(benchClients))
	if err != nil {
		t.Skip("only the benchmarks need it")
	}
	s := benchServer{Key: secret.Generate().Reveal()}
	e := emulatortest.NewServer(t, emulator.WithM2MClients(n, func(i int) emulator.M2MClientSeed {
		id := benchClient(i)
		return emulator.M2MClientSeed{ClientID: id, Name: "Billing worker", Secret: s.first(id).Reveal(), Scopes: []string{"read:users"}}
	}))
	s.URL, s.ProjectID, s.Secret = e.URL, e.ProjectID, e.Secret
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func startBench(b *testing.B, clients int) (benchServer, *stytch.Client) {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestBenchServer$")
	cmd.Env = append(os.Environ(), benchClients+"="+strconv.Itoa(clients))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	reader := bufio.NewReader(stdout)
	b.Cleanup(func() { stdin.Close(); _, _ = io.Copy(io.Discard, reader); _ = cmd.Wait() })
	line, err := reader.ReadBytes('\n')
	if err != nil {
		b.Fatal(err)
	}
	var s benchServer
	if err := json.Unmarshal(line, &s); err != nil {
		b.Fatal("the server process does not say where it is")
	}
	api, err := stytch.New(s.ProjectID, s.Secret, stytch.WithBaseURL(s.URL))
	if err != nil {
		b.Fatal(err)
	}
	return s, api
}

// counter is a limiter that counts what it lets through.
type counter struct {
	*rotate.Bucket
	sent atomic.Int64
}

func (c *counter) Wait(ctx context.Context) error {
	c.sent.Add(1)
	return c.Bucket.Wait(ctx)
}

// BenchmarkFleet10k rotates 10,000 clients with a file journal, 32 at a time, under a limit of
// 2,000 requests a second. The server is another process on the same machine. The folder is below
// TMPDIR, so that decides which disk it is.
func BenchmarkFleet10k(b *testing.B) {
	const allowed = 2000.0
	clients := 10_000
	if testing.Short() {
		clients = 500
	}
	for b.Loop() {
		s, api := startBench(b, clients)
		journal, err := filejournal.New(filepath.Join(b.TempDir(), "journal"), s.ProjectID, secret.Generate())
		if err != nil {
			b.Fatal(err)
		}
		limit := &counter{Bucket: newBucket(b, allowed, 32)}
		nowhere := rotate.DelivererFunc(func(context.Context, rotate.Delivery) error { return nil })
		r, err := rotate.New(api.M2M.Secrets, nowhere, journal, rotate.WithLimiter(limit),
			rotate.WithCurrent(func(_ context.Context, id string) (secret.String, error) { return s.first(id), nil }))
		if err != nil {
			b.Fatal(err)
		}
		var early uint64
		list := func(yield func(string, error) bool) {
			for i := range clients {
				if i == clients/10 {
					early = heapNow()
				}
				if !yield(benchClient(i), nil) {
					return
				}
			}
		}
		began := time.Now()
		f, err := fleet.New(r, fleet.WithConcurrency(32))
		if err != nil {
			b.Fatal(err)
		}
		report, err := f.Run(b.Context(), list)
		took := time.Since(began).Seconds()
		if err != nil || report.Done != clients {
			b.Fatalf("%+v, %v", report, err)
		}
		b.ReportMetric(float64(limit.sent.Load())/took/allowed, "of-allowed")
		b.ReportMetric(float64(limit.sent.Load())/took, "req/s")
		b.ReportMetric(float64(clients)/took, "rotations/s")
		b.ReportMetric(float64(early)/1e6, "MB-after-a-tenth")
		b.ReportMetric(float64(heapNow())/1e6, "MB-at-the-end")
	}
	b.ReportMetric(0, "ns/op") // of a whole fleet: it means nothing
}

func heapNow() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkRotation compares a rotation, with a file journal and a delivered file, with what cannot
// be left out, by hand: the calls, the proofs, and as many durable writes of the same size. One
// after the other, in turns.
func BenchmarkRotation(b *testing.B) {
	rounds := 200
	if testing.Short() {
		rounds = 10
	}
	s, api := startBench(b, 3)
	dir := b.TempDir()
	engine := newEngine(b, s, api, filepath.Join(dir, "engine"))
	writes := engine.count(b)
	full := &byHand{api: api, id: benchClient(1), current: s.first(benchClient(1)), dir: filepath.Join(dir, "full"), writes: writes, looks: true}
	bare := &byHand{api: api, id: benchClient(2), current: s.first(benchClient(2)), dir: filepath.Join(dir, "bare"), writes: writes}
	for _, h := range []*byHand{full, bare} {
		if err := atomicfile.Dir(h.dir); err != nil {
			b.Fatal(err)
		}
	}
	var times [3][]float64
	for b.Loop() {
		for range rounds {
			for i, run := range []func(context.Context) error{engine.run, full.run, bare.run} {
				began := time.Now()
				if err := run(b.Context()); err != nil {
					b.Fatal(err)
				}
				times[i] = append(times[i], float64(time.Since(began).Microseconds())/1000)
			}
		}
	}
	var medians [3]float64
	for i, all := range times {
		slices.Sort(all)
		medians[i] = all[len(all)/2]
	}
	b.ReportMetric(medians[0], "ms/rotation")
	b.ReportMetric(medians[1], "ms/by-hand")
	b.ReportMetric(medians[0]/medians[1], "of-by-hand")
	b.ReportMetric(medians[0]/medians[2], "of-by-hand-without-looks")
	b.ReportMetric(float64(len(writes)), "writes")
	b.ReportMetric(0, "ns/op") // of all rounds: it means nothing
}

// engine rotates one client again and again.
type engine struct {
	*rotate.Rotator
	id, dir string
}

func newEngine(b *testing.B, s benchServer, api *stytch.Client, dir string) *engine {
	b.Helper()
	e := &engine{id: benchClient(0), dir: dir}
	if err := atomicfile.Dir(dir); err != nil {
		b.Fatal(err)
	}
	file := deliver.File(filepath.Join(dir, "credentials.json"))
	if err := file.Deliver(b.Context(), rotate.Delivery{ClientID: e.id, Secret: s.first(e.id)}); err != nil {
		b.Fatal(err)
	}
	journal, err := filejournal.New(filepath.Join(dir, "journal"), s.ProjectID, secret.Generate())
	if err != nil {
		b.Fatal(err)
	}
	if e.Rotator, err = rotate.New(api.M2M.Secrets, file, journal); err != nil {
		b.Fatal(err)
	}
	return e
}

func (e *engine) run(ctx context.Context) error { return e.Run(ctx, e.id) }

// count makes one rotation, and returns the sizes of what it wrote durably.
func (e *engine) count(b *testing.B) (sizes []int) {
	b.Helper()
	atomicfile.Point = func(name string) error {
		if name != "synced" {
			return nil
		}
		for _, dir := range []string{e.dir, filepath.Join(e.dir, "journal")} {
			files, err := filepath.Glob(filepath.Join(dir, ".unfinished-*"))
			if err != nil {
				return err
			}
			for _, file := range files {
				info, err := os.Stat(file)
				if err != nil {
					return err
				}
				sizes = append(sizes, int(info.Size()))
			}
		}
		return nil
	}
	defer func() { atomicfile.Point = nil }()
	if err := e.run(b.Context()); err != nil {
		b.Fatal(err)
	}
	return sizes
}

// byHand is what a rotation cannot do without.
type byHand struct {
	api     *stytch.Client
	id, dir string
	current secret.String
	writes  []int // sizes
	looks   bool  // at what the server has, which bare calls do without
}

func (h *byHand) run(ctx context.Context) error {
	secrets := h.api.M2M.Secrets
	look := func() error {
		if !h.looks {
			return nil
		}
		_, err := secrets.LastFour(ctx, h.id)
		return err
	}
	prove := func(s secret.String) error {
		works, err := secrets.Probe(ctx, h.id, s)
		if err == nil && !works {
			err = fmt.Errorf("the secret does not work")
		}
		return err
	}
	written := 0
	write := func(n int) func() error {
		return func() error {
			for ; n > 0 && written < len(h.writes); n-- {
				if err := h.write(h.writes[written]); err != nil {
					return err
				}
				written++
			}
			return nil
		}
	}
	remove := func() error { // the delivery's file with the previous secret
		if err := os.Remove(filepath.Join(h.dir, "record")); err != nil {
			return err
		}
		return atomicfile.SyncDir(h.dir)
	}
	var next secret.String
	for _, step := range []func() error{
		look,
		func() error { return prove(h.current) },
		write(1),
		func() (err error) { next, err = secrets.Start(ctx, h.id); return err },
		write(1),
		func() error { return prove(next) },
		write(len(h.writes) - 4), // the delivery among them
		look,
		func() error { return secrets.Complete(ctx, h.id) },
		look,
		func() error { return prove(next) },
		write(1),
		remove,
		write(1),
	} {
		if err := step(); err != nil {
			return err
		}
	}
	h.current = next
	return nil
}

func (h *byHand) write(size int) error {
	return atomicfile.Write(filepath.Join(h.dir, "record"), make([]byte, size), 0o600)
}
