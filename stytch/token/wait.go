package token

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"time"
)

// pause waits for d, or reports false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// jitter is a random duration of at least low and less than high.
func jitter(low, high time.Duration) time.Duration {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	span := uint64(max(high-low, 1))
	return low + time.Duration(binary.LittleEndian.Uint64(random[:])%span)
}
