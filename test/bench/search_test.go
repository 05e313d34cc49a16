package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch"
)

// BenchmarkSearch walks over 100,000 clients, 1,000 a page.
func BenchmarkSearch(b *testing.B) {
	s := startServer(b)
	ctx := context.Background()
	walk := func(api *stytch.Client, work time.Duration) time.Duration {
		start, n := time.Now(), 0
		for _, err := range api.M2M.Search(ctx, stytch.M2MSearch{Limit: pageSize, Prefetch: true}) {
			if err != nil {
				b.Fatal(err)
			}
			spin(work)
			n++
		}
		if n != pages*pageSize {
			b.Fatalf("%d clients", n)
		}
		return time.Since(start)
	}

	b.Run("latency=0", func(b *testing.B) {
		api := newClient(b, s, "plain")
		var ratios []float64
		for b.Loop() {
			for range 7 {
				peer := byMaps(b, s.Plain)
				ratios = append(ratios, peer.Seconds()/walk(api, 0).Seconds())
			}
		}
		b.ReportMetric(median(ratios), "times-faster-than-maps")
		b.ReportMetric(0, "ns/op")
	})
	for _, work := range []time.Duration{0, 20 * time.Microsecond} {
		if testing.Short() {
			break // pages x latency takes as long as it takes
		}
		b.Run(fmt.Sprintf("latency=50ms/work=%v", work), func(b *testing.B) {
			api := newClient(b, s, "plain", stytch.WithUserAgent(latencyParam+"/50"))
			var ratios []float64
			for b.Loop() {
				ratios = append(ratios, walk(api, work).Seconds()/(pages*50*time.Millisecond).Seconds())
			}
			b.ReportMetric(median(ratios), "of-pages-x-latency")
			b.ReportMetric(0, "ns/op")
		})
	}
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
			idle, peak := searchInProcess(b, s.Plain)
			b.ReportMetric(float64(peak-idle)/1024, "MB-over-idle")
		}
		b.ReportMetric(0, "ns/op")
	})
}

// spin works for a while without giving up the CPU, as decoding or comparing would.
func spin(d time.Duration) {
	if d == 0 {
		return
	}
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

// byMaps is the loop that the official SDK leads to: one page after another, decoded with metadata
// in maps.
func byMaps(b *testing.B, url string) time.Duration {
	type page struct {
		M2MClients []struct {
			ClientID                 string         `json:"client_id"`
			ClientName               string         `json:"client_name"`
			ClientDescription        string         `json:"client_description"`
			ClientSecretLastFour     string         `json:"client_secret_last_four"`
			NextClientSecretLastFour *string        `json:"next_client_secret_last_four"`
			Status                   string         `json:"status"`
			Scopes                   []string       `json:"scopes"`
			TrustedMetadata          map[string]any `json:"trusted_metadata"`
		} `json:"m2m_clients"`
		ResultsMetadata struct {
			NextCursor *string `json:"next_cursor"`
		} `json:"results_metadata"`
	}
	start, cursor := time.Now(), ""
	for {
		body, _ := json.Marshal(map[string]any{"cursor": cursor, "limit": pageSize})
		resp, err := http.Post(url+searchPath, "application/json", bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		var p page
		if err != nil || json.Unmarshal(text, &p) != nil || len(p.M2MClients) != pageSize {
			b.Fatal("bad page")
		}
		if p.ResultsMetadata.NextCursor == nil {
			return time.Since(start)
		}
		cursor = *p.ResultsMetadata.NextCursor
	}
}

// searchInProcess walks over all clients in a process of its own and returns its resident memory in
// kB, idle and at its peak.
func searchInProcess(b *testing.B, url string) (idle, peak int) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=search", "STYTCH_PROJECT_ID="+projectID, "STYTCH_PROJECT_SECRET=secret-test-bench", "STYTCH_BASE_URL="+url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	if _, err := fmt.Sscan(string(out), &idle, &peak); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return idle, peak
}

func searchProcess() {
	api, err := stytch.FromEnv()
	if err != nil {
		panic(err)
	}
	idle := memory("VmRSS")
	for _, err := range api.M2M.Search(context.Background(), stytch.M2MSearch{Limit: pageSize, Prefetch: true}) {
		if err != nil {
			panic(err)
		}
	}
	fmt.Println(idle, memory("VmHWM"))
}

// memory reads one line of /proc/self/status, in kB.
func memory(name string) int {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			n, _ := strconv.Atoi(strings.Fields(value)[0])
			return n
		}
	}
	return 0
}
