//go:build live

package conformance

import "testing"

// TestLive runs the suite against Stytch, with the project of STYTCH_PROJECT_ID and
// STYTCH_PROJECT_SECRET.
func TestLive(t *testing.T) { runLive(t) }
