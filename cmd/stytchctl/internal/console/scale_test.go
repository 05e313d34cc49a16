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
	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/stytch/emulator"
)

const many = 100_000

// largest is how many bytes a page of a list may have among 100,000 clients.
const largest = 100 << 10

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

// TestLists holds pages of a list to their size. The full number runs with the heavy proofs.
func TestLists(t *testing.T) {
	n := heavy.Count(2000, many)
	s := crowd(t, n)
	for _, path := range paths(s, n) {
		if size := page(t, s, path); size > largest {
			t.Errorf("%s: %d bytes, want at most %d", path, size, largest)
		}
	}
}

// BenchmarkLists is how long a page takes on the server, of every path 20 times.
func BenchmarkLists(b *testing.B) {
	s := crowd(b, many)
	all := paths(s, many)
	var took []time.Duration
	for b.Loop() {
		for range 20 {
			for _, path := range all {
				start := time.Now()
				page(b, s, path)
				took = append(took, time.Since(start))
			}
		}
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "median-ms")
	b.ReportMetric(took[len(took)*95/100].Seconds()*1000, "p95-ms")
	b.ReportMetric(0, "ns/op")
}

// page gets a page and returns its size.
func page(t testing.TB, s *site, path string) int {
	t.Helper()
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, console.Root+path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: status %d", path, w.Code)
	}
	return w.Body.Len()
}
