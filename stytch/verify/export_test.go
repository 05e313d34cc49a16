package verify

import (
	"context"
	"time"
)

// Payload is the layer below the claims: a token and a key set give the signed bytes.
func (v *Verifier) Payload(raw string) ([]byte, error) {
	d, ok := split(raw)
	if !ok || len(raw) > v.maxBytes {
		return nil, errShape
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	_, err := v.signatures.open(context.Background(), s, raw, d, v.signatures.keys.Current(time.Now()))
	return append([]byte(nil), s.payload...), err
}

// Cached is how many tokens are remembered, and the bytes that they are counted with.
func (v *Verifier) Cached() (entries, bytes int64) {
	if v.cache == nil {
		return 0, 0
	}
	return v.cache.entries.Load(), v.cache.bytes.Load()
}
