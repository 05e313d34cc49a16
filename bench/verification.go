package main

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/stytchkit/m2m/stytch/verify"
)

// always makes a contestant of a verifier that accepts all tokens, or none.
func always(name string, verify verifyFunc, good bool, tokens ...string) contestant {
	return contestant{name, func(i int) {
		if err := verify(tokens[i%len(tokens)]); (err == nil) != good {
			panic(fmt.Sprintf("%s: %v", name, err))
		}
	}}
}

func field(peers map[string]verifyFunc, good bool, tokens ...string) (contestants []contestant) {
	for _, name := range verifiers {
		contestants = append(contestants, always(name, peers[name], good, tokens...))
	}
	return contestants
}

// compareGood measures good tokens: fresh ones, and with ours remembered ones.
func compareGood(r *report, n size, s *signer, tokens []string) (bars []bar) {
	peers := newPeers(s, verify.WithCache(0))
	floor := contestant{"floor", newFloor(s, tokens[0])}
	fresh := field(peers, true, tokens[0])
	raw := []byte(tokens[0])
	few := min(1000, len(tokens))
	remembered, some := newVerifier(s), newVerifier(s)
	for _, token := range tokens[:few] {
		must(some(token))
	}
	large, perToken := filled(s, tokens)
	all := append(fresh,
		always("decoded", withClaim(s), true, tokens[0]),
		always("1", remembered, true, tokens[0]),
		always("few", some, true, tokens[:few]...),
		always("many", large, true, tokens...),
		contestant{"digest", func(int) { sha256.Sum256(raw) }},
	)
	for _, threads := range []int{1, 2} {
		results := harness{n.chunk, n.rounds, threads}.compare(floor, all)
		t := fmt.Sprintf(", %dT", threads)
		r.ratios("fresh token"+t+missing(results), "of floor", "<= 1.05", only(results, verifiers...))
		r.ratios("... its custom claim decoded"+t, "of floor", "", rename(results, "decoded"))
		r.add("... the floor"+t, "us", "", map[string]string{ours: microseconds(results["floor"].time)})
		r.ratios("... SHA-256 of it alone"+t, "of floor", "", rename(results, "digest"))
		if threads == 1 {
			bars = barsOf(results)
			costs(r, all[:len(verifiers)])
		}
		for _, c := range []struct{ name, what, goal string }{
			{"1", "1", "<= 0.015"}, {"few", fmt.Sprint(few), "<= 0.02"}, {"many", fmt.Sprint(len(tokens)), ""},
		} {
			r.ratios("repeated token, "+c.what+" distinct"+t, "of floor", c.goal, rename(results, c.name))
		}
		for _, c := range []struct{ name, what, goal string }{
			{"few", fmt.Sprint(few), ">= 70"}, {"many", fmt.Sprint(len(tokens)), ">= 35"},
		} {
			faster := map[string]result{}
			for _, peer := range verifiers[1:] {
				faster[peer] = result{ratio: results[peer].ratio / results[c.name].ratio}
			}
			r.ratios("... a peer's time, "+c.what+" distinct"+t, "of ours", c.goal, faster)
		}
	}
	allocs, bytes := cost(always("1", remembered, true, tokens[0]))
	r.add("repeated token", "allocs/B", "0", map[string]string{ours: fmt.Sprintf("%.0f / %.0f", allocs, bytes)})
	r.add(fmt.Sprintf("heap per remembered token, of %d", len(tokens)), "B", "<= 600", map[string]string{ours: fmt.Sprint(perToken)})
	return bars
}

// filled is a verifier that remembers all the tokens, and how much of the heap each of them takes.
func filled(s *signer, tokens []string) (v verifyFunc, perToken int) {
	before := heap()
	v = newVerifier(s, verify.WithCache(len(tokens)))
	for _, token := range tokens {
		must(v(token))
	}
	perToken = (heap() - before) / len(tokens)
	runtime.KeepAlive(v)
	return v, perToken
}

func heap() int {
	var m runtime.MemStats
	for range 3 { // what a sync.Pool holds goes with the second one
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func costs(r *report, contestants []contestant) {
	values := map[string]string{}
	for _, c := range contestants {
		allocs, bytes := cost(c)
		values[c.name] = fmt.Sprintf("%.0f / %.0f", allocs, bytes)
	}
	r.add("fresh token", "allocs/B", "<= 14 / 2500", values)
}

// cost is what an operation takes from the heap. What runs beside it counts too, so the least of a
// few is taken.
func cost(c contestant) (allocs, bytes float64) {
	const calls = 500
	for try := range 5 {
		var before, after runtime.MemStats
		for i := range 20 {
			c.op(i)
		}
		runtime.ReadMemStats(&before)
		for i := range calls {
			c.op(i)
		}
		runtime.ReadMemStats(&after)
		a, b := float64(after.Mallocs-before.Mallocs)/calls, float64(after.TotalAlloc-before.TotalAlloc)/calls
		if try == 0 || a < allocs {
			allocs, bytes = a, b
		}
	}
	return allocs, bytes
}

// compareIssuers measures whether it matters which of several issuers a token has.
func compareIssuers(r *report, n size, s *signer) {
	var hosts []string
	for i := range 7 {
		hosts = append(hosts, fmt.Sprintf("https://login-%d.example.com", i))
	}
	v := newVerifier(s, verify.WithCache(0), verify.WithIssuers(hosts...))
	now := time.Now()
	first, last := s.sign(issuer, now, 0), s.sign(hosts[len(hosts)-1], now, 0)
	for _, threads := range []int{1, 2} {
		results := harness{n.chunk, n.rounds, threads}.compare(
			always("first", v, true, first), []contestant{always("last", v, true, last)})
		r.ratios(fmt.Sprintf("fresh token, last of 8 issuers, %dT%s", threads, missing(results)), "of the first", "<= 1.02", rename(results, "last"))
	}
}

// compareBad measures tokens that everybody refuses.
func compareBad(r *report, n size, s *signer, good string) {
	peers := newPeers(s)
	floor := contestant{"floor", newFloor(s, good)}
	rest := good[strings.IndexByte(good, '.'):]
	unknown := make([]string, 1000) // an attacker does not send the same one again
	for i := range unknown {
		unknown[i] = encode(fmt.Appendf(nil, `{"alg":"RS256","kid":"jwk-test-unknown-%d","typ":"JWT"}`, i)) + rest
	}
	signature := good[strings.LastIndexByte(good, '.')+1:]
	forged := strings.TrimSuffix(good, signature) + strings.Repeat("A", 9) + signature[9:]
	part := encode([]byte("garbage"))
	for _, c := range []struct {
		what, goal string
		tokens     []string
	}{
		{"bad signature", "<= 1.1 of fresh", []string{forged}},
		{"expired", "<= 1.1 of fresh", []string{s.sign(issuer, time.Now().Add(-2*time.Hour), 0)}},
		{"alg none", "<= 0.06", []string{encode([]byte(`{"alg":"none","kid":"`+keyID+`","typ":"JWT"}`)) + rest}},
		{"alg HS256", "<= 0.06", []string{encode([]byte(`{"alg":"HS256","kid":"`+keyID+`","typ":"JWT"}`)) + rest}},
		{"unknown kid, 1,000 of them", "<= 0.06", unknown},
		{"three parts of garbage", "<= 0.06", []string{part + "." + part + "." + part}},
		{"no dots, 900 B", "<= 0.01", []string{strings.ReplaceAll(good, ".", "x")}},
		{"no dots, 1 MB", "<= 0.01", []string{strings.Repeat("x", 1<<20)}},
		{"1 MB of dots", "<= 0.01", []string{strings.Repeat(".", 1<<20)}},
	} {
		contestants := field(peers, false, c.tokens...)
		results := harness{n.chunk, n.rounds, 1}.compare(floor, contestants)
		allocs, _ := cost(contestants[0])
		goal := c.goal
		if strings.Contains(c.what, "dots") {
			goal += ", 0 allocs"
		}
		r.ratios(fmt.Sprintf("refused: %s (%.0f allocs)", c.what, allocs), "of floor", goal, only(results, verifiers...))
	}
}

func only(results map[string]result, names ...string) map[string]result {
	some := map[string]result{}
	for _, name := range names {
		some[name] = results[name]
	}
	return some
}

// missing says where a machine that had other work to do makes figures doubtful.
func missing(results map[string]result) string {
	for _, r := range results {
		if r.busy {
			return " (busy machine)"
		}
	}
	return ""
}

// rename puts one result into the column of ours.
func rename(results map[string]result, name string) map[string]result {
	return map[string]result{ours: results[name]}
}
