// Command stytchctl manages the machine identities of a Stytch project from a shell or a CI job:
// M2M clients, Connected Apps, tokens and the rotation of secrets. It also serves a local Stytch
// with a console, and a proxy that adds tokens to requests. See docs/stytchctl.md.
package main

import (
	"os"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command"
)

func main() { os.Exit(command.Main(os.Args[1:])) }
