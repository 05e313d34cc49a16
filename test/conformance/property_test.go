package conformance

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/internal/heavy"
	"github.com/stytchkit/m2m/internal/operation"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the random tests; 0 for a new one each time")

// seeded runs a test in parallel parts, each with its own seed, derived from the logged one, and
// its own line. Together the parts must succeed with every operation, and no response may break the
// contract.
func seeded(t *testing.T, part func(t *testing.T, rng *rand.Rand, l line)) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("to repeat this run: -run '^%s$' -seed %d", t.Name(), seed)
	lines := make([]line, 4)
	for i := range lines {
		lines[i] = connectTo(t, emulatortest.NewServer(t, emulator.WithStrict(), registering))
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
			if good[op.ID] == 0 && !t.Failed() && heavy.Enabled() { // the lower counts may miss one by chance
				t.Errorf("%s is in the contract and never succeeded: call it in this test, or call it more often", op.ID)
			}
		}
		t.Logf("successes: %v", good)
	})
}

// TestRoundTrip sends random valid requests for every operation, and compares what comes back with
// a model.
func TestRoundTrip(t *testing.T) {
	steps := heavy.Count(150, 500)
	seeded(t, func(t *testing.T, rng *rand.Rand, l line) {
		raw, err := gen.NewClientWithResponses(l.api.BaseURL(), gen.WithHTTPClient(l.api))
		if err != nil {
			t.Fatal(err)
		}
		w := &tamer{Rand: rng}
		m := &model{t: t, rng: rng, tamer: w, suite: &suite{api: l.api, raw: raw}, m2m: m2mFamily(l.api, w), apps: appFamily(l.api, w)}
		m.suite.keySets(test{t})
		t.Run("authorization server", func(t *testing.T) { m.suite.authorizationServer(test{t}) })
		for i := 0; i < steps && !t.Failed(); i++ {
			m.step(i)
		}
	})
}
