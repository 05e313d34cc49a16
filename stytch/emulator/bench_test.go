package emulator_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

// BenchmarkGet reads one client over loopback from parallel callers.
func BenchmarkGet(b *testing.B) {
	s := emulatortest.NewServer(b, emulator.WithM2MClients(1000, func(i int) emulator.M2MClientSeed {
		return emulator.M2MClientSeed{ClientID: fmt.Sprint("client-", i), Name: "Billing worker", Scopes: []string{"read:users", "write:users"}}
	}))
	b.ReportAllocs()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.URL+clients+"/client-500", nil)
			if err != nil {
				b.Error(err)
				return
			}
			r.SetBasicAuth(s.ProjectID, s.Secret)
			resp, err := s.Client().Do(r)
			if err != nil || resp.StatusCode != http.StatusOK {
				b.Errorf("%v %v", resp, err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// BenchmarkCreate creates clients over loopback from parallel callers.
func BenchmarkCreate(b *testing.B) {
	benchmarkCreate(b, emulatortest.NewServer(b))
}

func benchmarkCreate(b *testing.B, s *emulator.Server) {
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.URL+clients, strings.NewReader(`{"scopes":["read:users","write:users"]}`))
			if err != nil {
				b.Error(err)
				return
			}
			r.SetBasicAuth(s.ProjectID, s.Secret)
			r.Header.Set("Content-Type", "application/json")
			resp, err := s.Client().Do(r)
			if err != nil || resp.StatusCode != http.StatusOK {
				b.Errorf("%v %v", resp, err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

func hundredThousand(i int) emulator.M2MClientSeed {
	return emulator.M2MClientSeed{
		Name: fmt.Sprint("worker ", i), Description: "Charges cards at night", Metadata: map[string]any{"team": "billing", "tier": i % 3},
		Scopes: []string{"read:users", fmt.Sprint("write:", i%10), fmt.Sprint("tenant:", i%1000)},
	}
}

// BenchmarkSearchByScope100k reads pages of 1,000 out of 100,000 clients over loopback. One client
// in ten holds the scope, and every page has a total.
func BenchmarkSearchByScope100k(b *testing.B) {
	w := start(b, emulator.WithM2MClients(100_000, hundredThousand))
	var times []time.Duration
	cursor := ""
	for b.Loop() {
		body := `{"limit":1000,"cursor":"` + cursor + `","query":{"operator":"AND","operands":[{"filter_name":"scopes","filter_value":["write:7"]}]}}`
		began := time.Now()
		resp, err := w.Client().Do(w.request("POST", clients+"/search", body))
		if err != nil {
			b.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		times = append(times, time.Since(began))
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status, err)
		}
		// Only the cursor at the end is read: parsing the page would cost more than serving it.
		_, rest, _ := strings.Cut(string(data[len(data)-200:]), `"next_cursor":`)
		cursor = ""
		if strings.HasPrefix(rest, `"`) {
			cursor, _, _ = strings.Cut(rest[1:], `"`)
		}
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
}

func BenchmarkSeed100k(b *testing.B) {
	for b.Loop() {
		if _, err := emulator.New(emulator.WithM2MClients(100_000, hundredThousand)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen100k loads 100,000 clients from a storage that takes no time itself.
func BenchmarkOpen100k(b *testing.B) {
	m := &memory{}
	if _, err := emulator.New(emulator.WithStorage(m), emulator.WithM2MClients(100_000, hundredThousand)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := emulator.New(emulator.WithStorage(m)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewServer(b *testing.B) {
	for b.Loop() {
		emulatortest.NewServer(b).Close()
	}
}

func BenchmarkToken(b *testing.B) {
	w := start(b)
	id, secret := w.create(`{"scopes":["a"]}`)
	form := credentials(id, secret)
	form.Set("grant_type", "client_credentials")
	body := form.Encode()
	for b.Loop() {
		r := w.request("POST", "/v1/public/"+w.ProjectID+"/oauth2/token", body, noAuth, header("Content-Type", "application/x-www-form-urlencoded"))
		resp, err := w.Client().Do(r)
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
