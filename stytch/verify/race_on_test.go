//go:build race

package verify_test

// raceEnabled says that the race detector runs, which takes memory of its own and empties pools at
// random.
const raceEnabled = true
