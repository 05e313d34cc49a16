// Package emulatortest starts emulators that end with a test.
package emulatortest

import (
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// NewServer starts an emulator on a loopback address and closes it when the test ends. It fails the test if an option is
// not valid or no port is free.
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
