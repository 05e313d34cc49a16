package proxy_test

import (
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
)

// Callers that have sent half a request do not keep others from being served.
func TestHalfOpenConnections(t *testing.T) {
	heavy.Only(t)
	const halfOpen, requests = 500, 2000
	f := start(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }, nil)
	for i := range halfOpen {
		conn, err := net.Dial("tcp", f.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		begun := []string{"GET / HTTP/1.1\r\nHost: local", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc", "", "G"}[i%4]
		_, _ = io.WriteString(conn, begun)
	}
	var all []time.Duration
	for range requests {
		begin := time.Now()
		if r := f.do("GET", "/", ""); r.StatusCode != http.StatusOK {
			t.Fatal(r.StatusCode)
		}
		all = append(all, time.Since(begin))
	}
	slices.Sort(all)
	t.Logf("p50 %v, p99 %v with %d half-open connections", all[len(all)/2], all[len(all)*99/100], halfOpen)
}
