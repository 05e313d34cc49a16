package token

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// jitter is a random duration of at least low and less than high.
func jitter(low, high time.Duration) time.Duration {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	span := uint64(max(high-low, 1))
	return low + time.Duration(binary.LittleEndian.Uint64(random[:])%span)
}
