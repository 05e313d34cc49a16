package server_test

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/requestlog"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/server"
	"github.com/stytchkit/m2m/internal/heavy"
)

func requestsOf(status int) requestlog.Filter { return requestlog.Filter{Status: &status} }

// stall opens connections that send half of a header.
func stall(t *testing.T, s running, n int) {
	t.Helper()
	for range n {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := conn.Write([]byte("GET /health HTTP/1.1\r\nHost: local")); err != nil {
			t.Fatal(err)
		}
	}
}

// Clients that never finish their request do not keep others from being served.
func TestSlowClients(t *testing.T) {
	s := start(t, server.Config{})
	stall(t, s, heavy.Count(100, 500))
	durations := make([]time.Duration, heavy.Count(100, 1000))
	for i := range durations {
		began := time.Now()
		if status, _ := get(t, s.URL()+"/health"); status != 200 {
			t.Fatalf("status %d", status)
		}
		durations[i] = time.Since(began)
	}
	slices.Sort(durations)
	t.Logf("p99 of %d healthy requests: %v", len(durations), durations[len(durations)*99/100])
}

// Beyond the limit, connections wait until the slow ones have been closed.
func TestManyConnections(t *testing.T) {
	heavy.Only(t) // waits for the time limit of a header
	s := start(t, server.Config{})
	stall(t, s, 1024)
	client := &http.Client{Timeout: 30 * time.Second}
	response, err := client.Get(s.URL() + "/health")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("status %d", response.StatusCode)
	}
}
