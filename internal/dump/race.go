//go:build race

package dump

// Used reports whether values may be dumped that goroutines still use. The race detector would
// report each look at them.
const Used = false
