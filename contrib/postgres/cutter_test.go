//go:build unix

package postgres_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"
)

// cutter is a network that loses an answer.
type cutter struct{ text atomic.Pointer[string] }

func (c *cutter) install(config *pgxpool.Config) {
	config.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return &cutConn{Conn: conn, cutter: c}, err
	}
}

// when makes the answer of the next request that holds text get lost.
func (c *cutter) when(text string) { c.text.Store(&text) }

type cutConn struct {
	net.Conn
	cutter *cutter
	cut    atomic.Bool
}

func (c *cutConn) Write(p []byte) (int, error) {
	if text := c.cutter.text.Load(); text != nil && bytes.Contains(p, []byte(*text)) && c.cutter.text.CompareAndSwap(text, nil) {
		c.cut.Store(true)
	}
	return c.Conn.Write(p)
}

func (c *cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.cut.Load() {
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}
