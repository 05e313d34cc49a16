package server_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/instance"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/server"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/store"
	"github.com/stytchkit/m2m/internal/cputime"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/secret"
)

const callers = 32

// BenchmarkStorage compares a server with a data file with one in memory, both over TCP with 32
// callers, in turns. It reports how many requests per second the one with a file answers, and the
// ratio.
func BenchmarkStorage(b *testing.B) {
	file := startStored(b, filepath.Join(b.TempDir(), "data"))
	memory := start(b, server.Config{})
	for _, s := range []running{file, memory} {
		load(b, s, callers, func(int) (string, string) { return "POST", "/v1/m2m/clients" }) // warm
	}
	for name, request := range map[string]func(int) (string, string){
		"create": func(int) (string, string) { return "POST", "/v1/m2m/clients" },
		"get":    func(i int) (string, string) { return "GET", fmt.Sprint("/v1/m2m/clients/unknown-", i) },
	} {
		b.Run(name, func(b *testing.B) {
			var stored, unstored time.Duration
			const requests, rounds = 2000, 5
			for b.Loop() {
				for range rounds {
					stored += load(b, file, requests, request)
					unstored += load(b, memory, requests, request)
				}
			}
			b.ReportMetric(float64(b.N*rounds*requests)/stored.Seconds(), "stored/s")
			b.ReportMetric(unstored.Seconds()/stored.Seconds(), "of-memory")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func startStored(b *testing.B, path string) running {
	b.Helper()
	data, err := store.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	i, err := instance.Open(instance.Config{ProjectID: seed.DefaultProjectID, Secret: secret.New(seed.DefaultSecret), Store: data})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { i.Close() })
	return startInstance(b, i, server.Config{})
}

var transport = &http.Transport{MaxIdleConnsPerHost: 2 * callers}

// load sends requests from 32 callers and returns how long that takes.
func load(b *testing.B, s running, requests int, request func(int) (method, path string)) time.Duration {
	b.Helper()
	var next atomic.Int64
	var busy sync.WaitGroup
	began := time.Now()
	for range callers {
		busy.Go(func() {
			for i := next.Add(1); i <= int64(requests); i = next.Add(1) {
				method, path := request(int(i))
				if err := send(s, method, path); err != nil {
					b.Error(err)
				}
			}
		})
	}
	busy.Wait()
	return time.Since(began)
}

func send(s running, method, path string) error {
	var body io.Reader
	if method == "POST" {
		body = strings.NewReader(`{"client_name":"a client","scopes":["read:users"]}`)
	}
	r, err := http.NewRequest(method, s.URL()+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	project(r)
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != 200 && response.StatusCode != 404 {
		return fmt.Errorf("%s %s: status %d", method, path, response.StatusCode)
	}
	return nil
}

// BenchmarkOpen opens a data file with 100,000 clients.
func BenchmarkOpen(b *testing.B) {
	const clients = 100_000
	path := filepath.Join(b.TempDir(), "data")
	data, err := store.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	many := emulator.WithM2MClients(clients, func(i int) emulator.M2MClientSeed {
		return emulator.M2MClientSeed{ClientID: fmt.Sprintf("client-%06d", i), Name: "a client", Scopes: []string{"read:users"}}
	})
	config := instance.Config{ProjectID: seed.DefaultProjectID, Secret: secret.New(seed.DefaultSecret), Store: data}
	config.Options = []emulator.Option{many}
	if _, err := instance.Open(config); err != nil {
		b.Fatal(err)
	}
	if err := data.Close(); err != nil {
		b.Fatal(err)
	}
	config.Options = nil
	before := cputime.Process()
	for b.Loop() {
		if config.Store, err = store.Open(path); err != nil {
			b.Fatal(err)
		}
		i, err := instance.Open(config)
		if err != nil {
			b.Fatal(err)
		}
		if err := i.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cputime.Process()-before).Seconds()/float64(b.N), "cpu-s/op")
}
