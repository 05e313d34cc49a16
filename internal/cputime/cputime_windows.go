// Package cputime measures the processor time of this process, for benchmarks.
package cputime

import (
	"syscall"
	"time"
)

// Process returns the time that all threads of the process spent on a processor so far, or 0 if the
// system does not say.
func Process() time.Duration {
	handle, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0
	}
	var created, exited, kernel, user syscall.Filetime
	if syscall.GetProcessTimes(handle, &created, &exited, &kernel, &user) != nil {
		return 0
	}
	return duration(kernel) + duration(user)
}

// duration is a span of time, which Windows counts in units of 100 ns.
func duration(t syscall.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
