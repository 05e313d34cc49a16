package proxy_test

import (
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/proxy"
	"github.com/stytchkit/m2m/internal/heavy"
)

// BenchmarkProxy compares the latency of a request through the proxy with that through a bare
// httputil.ReverseProxy, which adds no token, counts nothing and logs nothing. The two take turns,
// so that other work on the machine does the same to both.
//
//	go test -run '^$' -bench Proxy -benchtime 1x
func BenchmarkProxy(b *testing.B) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"id":1}`)
	}))
	defer upstream.Close()
	f := start(b, nil, func(c *proxy.Config) {
		c.Routes[0].Upstream, c.Log = upstream.URL, slog.New(slog.NewJSONHandler(null, nil))
	})
	target, err := url.Parse(upstream.URL)
	if err != nil {
		b.Fatal(err)
	}
	bare := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 100},
		ErrorLog:  log.New(io.Discard, "", 0),
	})
	defer bare.Close()

	for _, body := range []struct {
		name string
		size int
	}{{"get", 0}, {"post 4 KiB", 4 << 10}} {
		b.Run(body.name, func(b *testing.B) {
			one := func(address string) time.Duration {
				method := http.MethodGet
				if body.size > 0 {
					method = http.MethodPost
				}
				req, err := http.NewRequestWithContext(b.Context(), method, address, strings.NewReader(strings.Repeat("x", body.size)))
				if err != nil {
					b.Fatal(err)
				}
				begin := time.Now()
				resp, err := client.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					b.Fatal(resp.Status)
				}
				return time.Since(begin)
			}
			for range 200 { // connections, buffers, the token
				one(bare.URL)
				one(f.url)
			}
			pairs := heavy.Count(2000, 20000)
			var ratio float64
			for b.Loop() {
				var without, with []time.Duration
				for range pairs {
					without = append(without, one(bare.URL))
					with = append(with, one(f.url))
				}
				bareMedian, median := medianOf(without), medianOf(with)
				ratio = float64(median) / float64(bareMedian)
				b.ReportMetric(float64(bareMedian.Microseconds()), "bare-µs")
				b.ReportMetric(float64(median.Microseconds()), "proxy-µs")
			}
			b.ReportMetric(ratio, "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func medianOf(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
