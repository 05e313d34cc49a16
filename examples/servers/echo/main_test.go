package main

import (
	"testing"

	"github.com/stytchkit/m2m/examples/servers/internal/try"
)

func TestServer(t *testing.T) { try.Server(t, newHandler) }
