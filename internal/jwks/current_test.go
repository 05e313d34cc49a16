package jwks_test

import (
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/jwks"
)

// Current starts no fetch where there is nothing to renew: without keys, and offline.
func TestCurrentFetchesNothing(t *testing.T) {
	seed, err := jwks.Parse(document(entry(0, "a")))
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]jwks.Config{"no keys": {}, "offline": {Seed: seed, Offline: true}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, config, func(t *testing.T, c *jwks.Cache, s *server) {
				if set := c.Current(time.Now().Add(time.Hour)); (set != nil) != config.Offline {
					t.Errorf("keys are there: %t, want %t", set != nil, config.Offline)
				}
				time.Sleep(time.Minute)
				if n := s.fetches(); n != 0 {
					t.Errorf("%d fetches, want 0", n)
				}
			})
		})
	}
}
