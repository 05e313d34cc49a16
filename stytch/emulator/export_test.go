package emulator

import (
	"maps"
	"slices"
)

// ErrorTypes lists the error types that the emulator knows.
func ErrorTypes() []string { return slices.Sorted(maps.Keys(failures)) }
