package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/console"
	"github.com/stytchkit/m2m/internal/cputime"
	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/emulator"
)

const many = 100_000

// largest and slowest are what a page of a list may weigh and take among 100,000 clients.
const (
	largest = 100 << 10 // bytes
	slowest = 50 * time.Millisecond
)

// crowd is a site with n M2M clients.
func crowd(t testing.TB, n int) *site {
	t.Helper()
	var seeds []emulator.Option
	for i := range n {
		seeds = append(seeds, emulator.WithM2MClient(emulator.M2MClientSeed{
			ClientID: fmt.Sprintf("m2m-client-test-%08d-0000-4000-8000-000000000000", i), Name: fmt.Sprintf("Billing worker %d", i),
			Scopes: []string{"read:users", "write:invoices", fmt.Sprintf("shard:%d", i%1000)},
		}))
	}
	return open(t, false, seeds...)
}

// paths are what a person does with a list: open it, turn pages, and find.
func paths(s *site, n int) []string {
	first := s.get("clients")
	second := link(first.body, "next")
	return []string{
		"clients", second, link(s.get(second).body, "next"),
		"clients?q=" + url.QueryEscape(fmt.Sprintf("Billing worker %d", n-1)), "clients?q=shard:7", "clients?q=read:users", "clients?q=nothing",
	}
}

// TestLists holds pages of a list to their limits. The full number runs with the heavy proofs.
func TestLists(t *testing.T) {
	n := heavy.Count(2000, many)
	s := crowd(t, n)
	var took []time.Duration
	for _, path := range paths(s, n) {
		for range 20 {
			start := cputime.Process() // other processes of the machine must not count
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, console.Root+path, nil))
			took = append(took, cputime.Process()-start)
			if w.Code != http.StatusOK || w.Body.Len() > largest {
				t.Fatalf("%s: status %d, %d bytes", path, w.Code, w.Body.Len())
			}
		}
	}
	slices.Sort(took)
	p95 := took[len(took)*95/100]
	t.Logf("%d clients: median %v, p95 %v", n, took[len(took)/2], p95)
	if p95 > slowest {
		t.Errorf("p95 of a page is %v, want at most %v", p95, slowest)
	}
}

func BenchmarkList(b *testing.B) {
	s := crowd(b, many)
	for _, path := range paths(s, many) {
		b.Run(path[:min(len(path), 24)], func(b *testing.B) {
			size := 0
			for b.Loop() {
				w := httptest.NewRecorder()
				s.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, console.Root+path, nil))
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "page-bytes")
		})
	}
}
