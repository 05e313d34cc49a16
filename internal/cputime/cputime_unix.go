//go:build unix

// Package cputime measures the processor time of this process, for benchmarks.
package cputime

import (
	"syscall"
	"time"
)

// Process returns the time that all threads of the process spent on a processor so far, or 0 if the
// system does not say.
func Process() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
