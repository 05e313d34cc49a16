package token

import (
	"testing"
	"time"
)

// A server that rejects every token gets new ones more and more slowly, down to one in 10 minutes,
// and at first speed again after a quiet time.
func TestRejections(t *testing.T) {
	var r rejections
	now := time.Now()
	for i := range 15 {
		if !r.allow(now) || r.allow(r.until.Add(-1)) {
			t.Fatalf("rejection %d: the wait is not kept", i)
		}
		if want := min(minRejectWait<<i, maxRejectWait); r.until.Sub(now) != want {
			t.Errorf("rejection %d: the next one after %v, want %v", i, r.until.Sub(now), want)
		}
		now = r.until
	}
	now = now.Add(maxRejectWait + 1)
	if !r.allow(now) || r.until.Sub(now) != minRejectWait {
		t.Errorf("after a quiet time: the next one after %v, want %v", r.until.Sub(now), minRejectWait)
	}
}
