// Command bench measures stytch/verify and stytch/token side by side with golang-jwt, go-jose,
// go-oidc, jwx and x/oauth2, and prints one table of ratios from one interleaved run. The official
// Go SDK of Stytch is not among them, because its module cannot be fetched; it verifies tokens with
// golang-jwt.
//
//	go run .                               # a few minutes, on a machine with nothing else to do
//	go run . -svg ../docs/tokens-bench.svg # and a chart
//	go run . -short                        # a few seconds, to see that it runs
//	go test -run '^$' -fuzz FuzzDifferential -fuzzminimizetime 10x .
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

// size is how much is measured.
type size struct {
	chunk    time.Duration
	rounds   int
	distinct int           // tokens, for the largest cache
	latency  time.Duration // of the token endpoint
	life     int           // of tokens across expiries, in seconds
	refresh  float64       // of that life, when ours asks for the next one
	crossing time.Duration // how long callers go on across expiries
	repeats  int           // of what is measured as a whole
}

var (
	whole = size{
		chunk: 1500 * time.Microsecond, rounds: 151, distinct: 100_000, repeats: 5,
		latency: 200 * time.Millisecond, life: 7, refresh: 0.8, crossing: 15 * time.Second,
	}
	short = size{
		chunk: 200 * time.Microsecond, rounds: 5, distinct: 2_000, repeats: 1,
		latency: 20 * time.Millisecond, life: 2, refresh: 0.3, crossing: 1500 * time.Millisecond,
	}
)

func main() {
	quick := flag.Bool("short", false, "measure a little of everything, in a few seconds: a smoke test")
	chart := flag.String("svg", "", "also draw a chart into this `file`")
	rounds := flag.Int("rounds", 0, "chunks of each contestant, of which the median counts (default 151)")
	flag.Parse()
	n := whole
	if *quick {
		n = short
	}
	if *rounds > 0 {
		n.rounds = *rounds
	}
	start := time.Now()
	r, bars := measure(n)
	fmt.Printf("%s\n%s, %s/%s, %d CPUs, median of %d rounds, %v.\n%s", r.markdown(), runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), n.rounds, time.Since(start).Round(time.Second), legend)
	if *chart != "" {
		if err := os.WriteFile(*chart, draw(bars), 0o644); err != nil { //nolint:gosec // for everybody to see
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

const legend = `
floor: decoding the token, SHA-256 and crypto/rsa, and nothing else, on the same token; each chunk of a contestant runs between
two chunks of it. 1T and 2T are threads. Peers verify every token anew: none remembers one. The official Go SDK of Stytch is
not measured; it verifies with golang-jwt, with the options used here. A busy machine left too few rounds with a core for each thread.
`

func measure(n size) (*report, []bar) {
	r, s := &report{}, newSigner()
	tokens := s.signMany(n.distinct)
	bars := compareGood(r, n, s, tokens)
	compareIssuers(r, n, s)
	compareBad(r, n, s, tokens[0])
	compareMemory(r, n)
	crossExpiry(r, n)
	fail(r, n)
	create(r, s)
	return r, bars
}
