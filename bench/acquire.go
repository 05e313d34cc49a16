package main

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/stytchkit/m2m/stytch/secret"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

const callers = 64

// compareMemory measures a token that is at hand. The floor is what everybody has to do, to look at
// the clock.
func compareMemory(r *report, n size) {
	e := &endpoint{life: 3600}
	mine, s := newSource(e)
	defer s.Close()
	floor := contestant{"floor", func(int) { _ = time.Now() }}
	contestants := []contestant{{ours, repeatedly(mine)}, {xoauth2, repeatedly(newOAuth2(e))}}
	for _, c := range []struct {
		threads int
		goal    string
	}{{1, "<= 1"}, {2, "<= 0.5"}} {
		results := harness{n.chunk, n.rounds, c.threads}.compare(floor, contestants)
		r.ratios(fmt.Sprintf("Token from memory, %dT", c.threads), "of time.Now", "", only(results, ours, xoauth2))
		r.ratios(fmt.Sprintf("... by x/oauth2's time, %dT%s", c.threads, missing(results)), "ratio", c.goal,
			map[string]result{ours: {ratio: results[ours].ratio / results[xoauth2].ratio}})
	}
	allocs, _ := cost(contestant{op: repeatedly(mine)})
	r.add("Token from memory", "allocs", "0", map[string]string{ours: fmt.Sprintf("%.0f", allocs)})
	r.add("... token requests in all that", "requests", "1", map[string]string{ours: fmt.Sprint(s.Stats().Requests)})
}

func repeatedly(get tokenFunc) func(int) { return func(int) { must(get()) } }

// crossExpiry lets callers ask for tokens all the time while these expire. x/oauth2 takes a token
// for expired 10 s before it is, so its tokens live that much longer. An empty call shows what the
// machine itself does to a caller.
func crossExpiry(r *report, n size) {
	e, theirs := &endpoint{latency: n.latency, life: n.life}, &endpoint{latency: n.latency, life: 10 + n.life}
	mine, s := newSource(e, token.WithMinLife(0), token.WithRefreshAt(n.refresh))
	defer s.Close()
	slowest, stalled := map[string]string{}, map[string]string{}
	requests := map[string]string{}
	nothing := func() error { return nil }
	var empty time.Duration
	for _, c := range []struct {
		column string
		get    tokenFunc
		e      *endpoint
	}{{ours, mine, e}, {xoauth2, newOAuth2(theirs), theirs}, {"", nothing, e}} {
		must(c.get()) // the first one has to wait
		worst, stalls := callAll(c.get, n.crossing, n.latency/2)
		if c.column == "" {
			empty = worst
			continue
		}
		slowest[c.column], stalled[c.column] = milliseconds(worst), fmt.Sprint(stalls)
		requests[c.column] = fmt.Sprint(c.e.requests.Load())
	}
	r.add(fmt.Sprintf("across expiries, 64 callers, endpoint %v", n.latency), "calls stalled", "0", stalled)
	r.add("... token requests meanwhile", "requests", "", requests)
	r.add(fmt.Sprintf("... slowest call (an empty one: %s)", milliseconds(empty)), "ms", "<= 1", slowest)
}

// callAll lets all callers call for a while, and returns the slowest call and how many took longer
// than a limit.
func callAll(get tokenFunc, d, limit time.Duration) (slowest time.Duration, stalled int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for range callers {
		wg.Go(func() {
			worst, stalls := time.Duration(0), 0
			for start := time.Now(); start.Before(end); start = time.Now() {
				must(get())
				took := time.Since(start)
				worst = max(worst, took)
				if took > limit {
					stalls++
				}
				time.Sleep(time.Millisecond)
			}
			mu.Lock()
			defer mu.Unlock()
			slowest, stalled = max(slowest, worst), stalled+stalls
		})
	}
	wg.Wait()
	return slowest, stalled
}

// fail lets all callers ask for a first token at once while the endpoint answers 503.
func fail(r *report, n size) {
	values := map[string]string{}
	times, requests := measureFailure(n.repeats, n.latency, func(e *endpoint) (tokenFunc, func()) {
		get, s := newSource(e)
		return get, func() { _ = s.Close() }
	})
	values[ours] = ratio(times)
	counts := map[string]string{ours: fmt.Sprint(requests)}
	times, requests = measureFailure(1, n.latency, func(e *endpoint) (tokenFunc, func()) { return newOAuth2(e), func() {} })
	values[xoauth2], counts[xoauth2] = ratio(times), fmt.Sprint(requests)
	r.add("failing endpoint, 64 callers", "requests", "1", counts)
	r.add("... slowest caller", "of endpoint", "<= 1.1", values)
}

// measureFailure returns the slowest caller's time by the endpoint's, and the requests until then.
func measureFailure(repeats int, latency time.Duration, source func(*endpoint) (tokenFunc, func())) (times float64, requests int64) {
	var all []float64
	for range repeats {
		e := &endpoint{latency: latency, failing: true}
		get, done := source(e)
		start := time.Now()
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				if get() == nil {
					panic("a token from an endpoint that fails")
				}
			})
		}
		wg.Wait()
		all = append(all, float64(time.Since(start))/float64(latency))
		requests = max(requests, e.requests.Load())
		done()
	}
	return median(all), requests
}

// create measures the constructors.
func create(r *report, s *signer) {
	e, document := &endpoint{}, s.jwks()
	transport := &http.Client{Transport: e}
	for _, c := range []struct {
		what string
		op   func()
	}{
		{"creating a verifier", func() { _, err := verify.New(project, verify.WithHTTPClient(transport)); must(err) }},
		{"... with a key set at hand", func() {
			_, err := verify.New(project, verify.WithHTTPClient(transport), verify.WithKeys(document))
			must(err)
		}},
		{"creating a source", func() {
			_, err := token.New(project, token.Static(client, secret.New("Correct-Horse-9-Battery")), token.WithHTTPClient(transport))
			must(err)
		}},
	} {
		var times []time.Duration
		for range 201 {
			start := time.Now()
			c.op()
			times = append(times, time.Since(start))
		}
		slices.Sort(times)
		r.add(c.what, "us", "<= 100", map[string]string{ours: microseconds(times[len(times)/2])})
	}
	r.add("... network calls", "requests", "0", map[string]string{ours: fmt.Sprint(e.requests.Load())})
}
