package proxy

import "sync"

// bufferSize is what a copy reads at once.
const bufferSize = 32 << 10

// bufferPool keeps the buffers of copies. It holds pieces of bodies, but no header, so no token.
type bufferPool struct{ pool sync.Pool }

var buffers = &bufferPool{}

// Get implements httputil.BufferPool.
func (b *bufferPool) Get() []byte {
	if p, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return p[:]
	}
	return new([bufferSize]byte)[:]
}

// Put implements httputil.BufferPool.
func (b *bufferPool) Put(p []byte) { b.pool.Put((*[bufferSize]byte)(p)) }
