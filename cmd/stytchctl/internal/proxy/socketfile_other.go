//go:build !unix

package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
)

// checkSocketPath refuses every socket: whether others could open it is not known here.
func checkSocketPath(string) error {
	return refuse("TokenSocket", "a socket that only this user can open is not possible on %s: let services call the proxy", runtime.GOOS)
}

func listenSocket(context.Context, string) (net.Listener, error) {
	return nil, fmt.Errorf("a socket of one user: %w", errors.ErrUnsupported)
}
