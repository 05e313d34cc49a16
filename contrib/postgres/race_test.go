//go:build race

package postgres_test

// raceDetector lowers the number of rotations, each of which it makes several times slower.
const raceDetector = true
