package bench

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/cputime"
	"github.com/stytchkit/m2m/stytch"
)

// BenchmarkGet compares one management call of the client with the same call written by hand on a
// tuned net/http.
func BenchmarkGet(b *testing.B) {
	s := startServer(b)
	for _, mode := range []string{"plain", "tls", "http2"} {
		for _, callers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/callers=%d", mode, callers), func(b *testing.B) { compareGet(b, s, mode, callers) })
		}
	}
}

func compareGet(b *testing.B, s *server, mode string, callers int) {
	const calls = 1920
	rounds := 21
	if testing.Short() {
		rounds = 3
	}
	api := newClient(b, s, mode)
	byHand := handWritten(s, mode)
	ctx := context.Background()
	ours := func() error { _, err := api.M2M.Get(ctx, clientID); return err }
	before := s.conns(b, mode)
	measure(b, callers, calls, ours) // all callers start at once, on no connection
	opened := s.conns(b, mode) - before - 1
	// On a starved machine net/http gives up a connection now and then, and opens another in its
	// place.
	if opened > callers+1+callers/8 {
		b.Errorf("%d callers opened %d connections", callers, opened)
	}
	measure(b, callers, calls, byHand)
	var ratios, cpus, allocs, rates []float64
	for b.Loop() {
		for range rounds {
			a := measure(b, callers, calls, ours)
			h := measure(b, callers, calls, byHand)
			ratios = append(ratios, a.cpu.Seconds()/h.cpu.Seconds())
			cpus = append(cpus, float64(a.cpu.Microseconds())/calls)
			allocs = append(allocs, float64(a.allocs)/calls)
			rates = append(rates, calls/a.wall.Seconds())
		}
	}
	b.ReportMetric(median(ratios), "cpu/hand-written")
	b.ReportMetric(median(cpus), "cpu-us/call")
	b.ReportMetric(median(allocs), "allocs/call")
	b.ReportMetric(median(rates), "calls/s")
	b.ReportMetric(float64(opened), "conns")
	b.ReportMetric(0, "ns/op") // of a whole comparison: it means nothing
}

type sample struct {
	wall, cpu time.Duration
	allocs    uint64
}

// measure runs calls spread over callers, and takes what the whole process spent meanwhile.
func measure(b *testing.B, callers, calls int, call func() error) sample {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := cputime.Process(), time.Now()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range calls / callers {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	s := sample{wall: time.Since(start), cpu: cputime.Process() - cpu}
	runtime.ReadMemStats(&after)
	s.allocs = after.Mallocs - before.Mallocs
	return s
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func newClient(tb testing.TB, s *server, mode string, options ...stytch.Option) *stytch.Client {
	api, err := stytch.New(projectID, "secret-test-bench", append(options, stytch.WithBaseURL(s.url(mode)))...)
	if err != nil {
		tb.Fatal(err)
	}
	return api
}

// handWritten is what a careful engineer writes for one call: a transport that keeps its
// connections, a bounded body, a typed answer.
func handWritten(s *server, mode string) func() error {
	client := &http.Client{Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		ForceAttemptHTTP2:   mode == "http2",
		TLSClientConfig:     &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: 1024,
	}}
	url := s.url(mode) + "/v1/m2m/clients/" + clientID
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		req.SetBasicAuth(projectID, "secret-test-bench")
		req.Header.Set("Accept", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		var answer gen.GetM2MClientResponse
		return json.Unmarshal(body, &answer)
	}
}
