//go:build race

package conformance

// raceDetector lowers the counts of random tests, which it makes ten times slower.
const raceDetector = true
