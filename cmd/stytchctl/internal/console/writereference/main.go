// Command writereference writes the API reference as static HTML into the folder that its argument
// names.
package main

import (
	"fmt"
	"os"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/console"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: writereference FOLDER")
		os.Exit(2)
	}
	if err := console.WriteReference(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
