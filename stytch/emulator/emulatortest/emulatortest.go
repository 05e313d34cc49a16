// Package emulatortest starts a local Stytch for the duration of a test.
package emulatortest

import (
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// NewServer starts an emulator on a loopback address and closes it when the test ends. If an option
// is invalid or no port is free, the test fails at once.
func NewServer(tb testing.TB, opts ...emulator.Option) *emulator.Server {
	tb.Helper()
	s, err := emulator.Start(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}
