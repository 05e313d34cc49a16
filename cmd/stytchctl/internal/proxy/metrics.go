package proxy

import (
	"fmt"
	"io"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/stytchkit/m2m/stytch/token"
)

// classes are the values of code_class. canceled is for callers that left before the response,
// aborted for responses that could not be sent to their end.
var classes = []string{"1xx", "2xx", "3xx", "4xx", "5xx", "canceled", "aborted"}

// upstreamBuckets are in seconds.
var upstreamBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// counts are the metrics of a proxy. Their labels are routes and classes: what a caller or a
// project chooses is never one.
type counts struct {
	set    *metrics.Set
	active *metrics.Gauge
	none   *routeCounts // for requests without a route
	tokens *tokens
	issued []tokenCounter
}

// tokenCounter shows what the token source counts.
type tokenCounter struct {
	*metrics.Counter
	of func(token.Stats) uint64
}

// routeCounts are those of one route, looked up once.
type routeCounts struct {
	requests map[string]*metrics.Counter // by class
	upstream *metrics.PrometheusHistogram
}

func newCounts(t *tokens) *counts {
	metrics.ExposeMetadata(true) // types: a collector cannot distinguish a counter from a gauge without them
	c := &counts{set: metrics.NewSet(), tokens: t}
	c.active = c.set.NewGauge("stytchctl_proxy_requests_in_progress", nil)
	for name, of := range map[string]func(token.Stats) uint64{
		"minted_total":         func(s token.Stats) uint64 { return s.Minted },
		"requests_total":       func(s token.Stats) uint64 { return s.Requests },
		"from_store_total":     func(s token.Stats) uint64 { return s.FromStore },
		"failures_total":       func(s token.Stats) uint64 { return s.Failures },
		"over_budget_total":    func(s token.Stats) uint64 { return s.OverBudget },
		"store_failures_total": func(s token.Stats) uint64 { return s.StoreFailures },
	} {
		c.issued = append(c.issued, tokenCounter{c.set.NewCounter("stytchctl_proxy_token_" + name), of})
	}
	c.set.NewGauge("stytchctl_proxy_token_expiry_timestamp_seconds", func() float64 {
		if at := t.expires(); !at.IsZero() {
			return float64(at.Unix())
		}
		return 0
	})
	c.none = c.of((*route)(nil).label())
	return c
}

// of are the counts of a route, which stand at 0 from the start.
func (c *counts) of(route string) *routeCounts {
	label := fmt.Sprintf("route=%q", route) // which has no character that must be escaped: see checkPrefix
	r := &routeCounts{
		requests: map[string]*metrics.Counter{},
		upstream: c.set.NewPrometheusHistogramExt("stytchctl_proxy_upstream_seconds{"+label+"}", upstreamBuckets),
	}
	for _, class := range classes {
		r.requests[class] = c.set.NewCounter(fmt.Sprintf("stytchctl_proxy_requests_total{code_class=%q,%s}", class, label))
	}
	return r
}

// write writes them in the text format of Prometheus.
func (c *counts) write(w io.Writer) {
	stats := c.tokens.Stats()
	for _, counter := range c.issued {
		counter.Set(counter.of(stats))
	}
	c.set.WritePrometheus(w)
}

func (r *routeCounts) responded(after time.Duration) { r.upstream.Update(after.Seconds()) }

func (r *routeCounts) ended(class string) { r.requests[class].Inc() }
