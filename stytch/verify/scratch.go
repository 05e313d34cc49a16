package verify

import (
	"crypto/sha256"
	"hash"
	"sync"

	"github.com/stytchkit/m2m/internal/strictjson"
)

// scratch is the memory that one verification needs while it runs. It is reused, because it is most
// of what a verification would otherwise allocate.
type scratch struct {
	raw, header, payload, signature []byte
	digest                          []byte    // of what was signed
	hash                            hash.Hash // SHA-256
	members                         []strictjson.Member
	elements                        []strictjson.Value
	text                            []byte
}

var scratches = sync.Pool{New: func() any {
	return &scratch{
		digest: make([]byte, 0, sha256.Size), hash: sha256.New(),
		members: make([]strictjson.Member, 0, 16), elements: make([]strictjson.Value, 0, 4),
	}
}}

// release returns the memory to the pool, without the token in it. Unusually large buffers are left
// to the garbage collector.
func (s *scratch) release() {
	const limit = 16 << 10
	clear(s.raw)
	clear(s.signature)
	clear(s.members)
	clear(s.elements)
	if cap(s.raw) <= limit && cap(s.members) <= 256 && cap(s.elements) <= 256 {
		scratches.Put(s)
	}
}
