// Package conformance states by example what Stytch documents about machine identities: a suite for
// anything that responds to a [stytch.Client], be it Stytch, the emulator or something in between.
package conformance
