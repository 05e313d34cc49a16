package proxy

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// classes are the values of code_class. canceled is for callers that left before the response,
// aborted for responses that could not be sent to their end.
var classes = []string{"1xx", "2xx", "3xx", "4xx", "5xx", "canceled", "aborted"}

// metrics are in a registry of their own. Their labels are routes and classes: what a caller or a
// project chooses is never one.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	upstream *prometheus.HistogramVec
	active   prometheus.Gauge
	none     *routeMetrics // for requests without a route
}

// routeMetrics are those of one route, looked up once.
type routeMetrics struct {
	requests map[string]prometheus.Counter // by class
	upstream prometheus.Observer
}

func newMetrics(t *tokens) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stytchctl_proxy_requests_total", Help: "Requests of callers, by route and class of the response.",
		}, []string{"route", "code_class"}),
		upstream: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stytchctl_proxy_upstream_seconds", Help: "Time until the upstream's response began.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"route"}),
		active: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "stytchctl_proxy_requests_in_progress", Help: "Requests that have not ended, WebSockets included.",
		}),
	}
	m.registry.MustRegister(m.requests, m.upstream, m.active)
	for _, c := range []struct {
		name, help string
		value      func() float64
	}{
		{"minted_total", "Tokens that Stytch issued, which is what it bills.", func() float64 { return float64(t.Stats().Minted) }},
		{"requests_total", "Requests to the token endpoint.", func() float64 { return float64(t.Stats().Requests) }},
		{"from_store_total", "Tokens taken from the shared store.", func() float64 { return float64(t.Stats().FromStore) }},
		{"failures_total", "Refreshes that failed.", func() float64 { return float64(t.Stats().Failures) }},
		{"over_budget_total", "Requests that the budget refused.", func() float64 { return float64(t.Stats().OverBudget) }},
		{"store_failures_total", "Times that the shared store did not help.", func() float64 { return float64(t.Stats().StoreFailures) }},
	} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "stytchctl_proxy_token_" + c.name, Help: c.help}, c.value))
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "stytchctl_proxy_token_expiry_timestamp_seconds", Help: "When the last token expires; 0 if there was none.",
	}, func() float64 {
		if at := t.expires(); !at.IsZero() {
			return float64(at.Unix())
		}
		return 0
	}))
	m.none = m.of((*route)(nil).label())
	return m
}

func (m *metrics) of(label string) *routeMetrics {
	r := &routeMetrics{requests: map[string]prometheus.Counter{}, upstream: m.upstream.WithLabelValues(label)}
	for _, class := range classes {
		r.requests[class] = m.requests.WithLabelValues(label, class)
	}
	return r
}

func (r *routeMetrics) responded(after time.Duration) { r.upstream.Observe(after.Seconds()) }

func (r *routeMetrics) ended(class string) { r.requests[class].Inc() }
