package clients

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
)

// manyClients is a project with n clients that look like those of a real one.
func manyClients(tb testing.TB, n int) (*stytch.Client, *cli.App) {
	tb.Helper()
	local, err := emulator.Start(emulator.WithM2MClients(n, func(i int) emulator.M2MClientSeed {
		return emulator.M2MClientSeed{
			Name: fmt.Sprintf("service %d", i), Scopes: []string{"read:users", "write:invoices"},
			Metadata: map[string]any{"team": "billing", "tier": 2},
		}
	}))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { local.Close() })
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	if err != nil {
		tb.Fatal(err)
	}
	app := cli.New()
	app.Out, app.Err = io.Discard, io.Discard
	app.Flags.Output = cli.NDJSON
	env := map[string]string{"STYTCH_PROJECT_ID": local.ProjectID, "STYTCH_PROJECT_SECRET": local.Secret, "STYTCH_BASE_URL": local.URL}
	app.Getenv = func(name string) string { return env[name] }
	return api, app
}

// BenchmarkList compares `clients list -o ndjson` with the bare loop over the SDK's search, in
// turns in one run, and reports the ratio of their times.
func BenchmarkList(b *testing.B) {
	n := heavy.Count(20_000, 100_000)
	api, app := manyClients(b, n)
	bare := func() {
		count := 0
		for _, err := range api.M2M.Search(b.Context(), stytch.M2MSearch{Limit: pageSize, Prefetch: true}) {
			if err != nil {
				b.Fatal(err)
			}
			count++
		}
		if count != n {
			b.Fatalf("%d clients", count)
		}
	}
	list := func() {
		cmd := New(app)
		cmd.SetArgs([]string{"list"})
		if err := cmd.ExecuteContext(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	bare()
	list()
	var bareTime, listTime time.Duration
	for b.Loop() {
		start := time.Now()
		bare()
		middle := time.Now()
		list()
		bareTime += middle.Sub(start)
		listTime += time.Since(middle)
	}
	b.ReportMetric(float64(listTime)/float64(bareTime), "ratio")
	b.ReportMetric(float64(listTime.Milliseconds())/float64(b.N), "ms/list")
}

// TestListMemory: a long list takes no more memory than a short one.
func TestListMemory(t *testing.T) {
	n := heavy.Count(10_000, 100_000)
	_, app := manyClients(t, n)
	var most uint64
	writes := 0
	app.Out = writerFunc(func(data []byte) (int, error) {
		if writes++; writes%20 != 0 {
			return len(data), nil
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		return len(data), nil
	})
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	cmd := New(app)
	cmd.SetArgs([]string{"list"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	grown := int64(most) - int64(before.HeapAlloc)
	t.Logf("the list of %d clients needs %d KiB at most", n, grown>>10)
	if grown > 8<<20 {
		t.Errorf("the list of %d clients needs %d KiB", n, grown>>10)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(data []byte) (int, error) { return f(data) }
