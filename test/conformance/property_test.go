package conformance

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the random tests; 0 for another one each time")

// seeded runs a test in parallel parts, each with a seed that follows from the logged one and a line of its own. All parts
// together have to get good answers from every operation, and none of them one outside of the contract.
func seeded(t *testing.T, part func(t *testing.T, rng *rand.Rand, l line)) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("to see the same again: -run '^%s$' -seed %d", t.Name(), seed)
	lines := make([]line, 4)
	for i := range lines {
		lines[i] = connectTo(t, emulatortest.NewServer(t, emulator.WithStrict()))
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			part(t, rand.New(rand.NewPCG(seed, uint64(i))), lines[i])
		})
	}
	t.Cleanup(func() { // parallel parts run after the test function has returned
		good := map[string]int{}
		for _, l := range lines {
			for _, v := range l.transport.Violations() {
				t.Error(&v)
			}
			for operation, n := range l.transport.Exercised() {
				good[operation] += n
			}
		}
		for _, op := range operation.All {
			if good[op.ID] == 0 && !t.Failed() && !raceDetector { // with the lower counts of the last that can happen
				t.Errorf("%s is in the contract and never got a good answer: have the test call it, or call it more often", op.ID)
			}
		}
		t.Logf("good answers: %v", good)
	})
}

// TestRoundTrip sends random valid requests for every operation, and compares what comes back with a model.
func TestRoundTrip(t *testing.T) {
	steps := 500
	if raceDetector {
		steps = 150
	}
	seeded(t, func(t *testing.T, rng *rand.Rand, l line) {
		raw, err := gen.NewClientWithResponses(l.api.BaseURL(), gen.WithHTTPClient(l.api))
		if err != nil {
			t.Fatal(err)
		}
		w := &tamer{Rand: rng}
		m := &model{t: t, rng: rng, tamer: w, suite: &suite{api: l.api, raw: raw}, m2m: m2mFamily(l.api, w), apps: appFamily(l.api, w)}
		m.suite.keySets(t)
		for i := 0; i < steps && !t.Failed(); i++ {
			m.step(i)
		}
	})
}
