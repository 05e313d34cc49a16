// Package heavy keeps the tests that take minutes out of a plain go test. M2M_HEAVY_TESTS=1 runs
// them, as CI does; M2M_HEAVY_TESTS=long runs them in the profile of a soak test, as make torture
// does.
package heavy

import (
	"os"
	"testing"
)

const variable = "M2M_HEAVY_TESTS"

// Enabled reports whether heavy tests run.
func Enabled() bool { return os.Getenv(variable) != "" }

// Long reports whether they run in their longest profile.
func Long() bool { return os.Getenv(variable) == "long" }

// Only skips a test unless heavy tests run.
func Only(tb testing.TB) {
	tb.Helper()
	if !Enabled() {
		tb.Skip("a heavy test: set " + variable + "=1, or run make heavy")
	}
}

// Count is light, or full where heavy tests run: how often a test repeats what it does.
func Count(light, full int) int {
	if Enabled() {
		return full
	}
	return light
}

// CountLong is [Count] with a larger number for the longest profile.
func CountLong(light, full, long int) int {
	if Long() {
		return long
	}
	return Count(light, full)
}

// OnlyLong skips a test unless heavy tests run in their longest profile.
func OnlyLong(tb testing.TB) {
	tb.Helper()
	if !Long() {
		tb.Skip("a test of the long profile: set " + variable + "=long")
	}
}
