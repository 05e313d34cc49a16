//go:build race

package torture

// raceDetector lowers the number of processes, each of which it makes several times slower.
const raceDetector = true
