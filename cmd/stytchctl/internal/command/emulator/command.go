// Package emulator has the commands of the local Stytch: serve runs one, and the others change or
// show one that is running.
package emulator

import (
	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

const long = `A local Stytch for tests and development: M2M clients, Connected Apps, secrets, tokens and
keys, for clients in any language. It needs no account and sends nothing anywhere.

serve runs it. The other commands talk to one that is running: at --url, else at
STYTCH_EMULATOR_URL or STYTCH_BASE_URL, else at http://127.0.0.1:4010.`

// New is the group.
func New(app *cli.App) *cobra.Command {
	r := &remote{app: app}
	group := cli.Group("emulator", "Run a local Stytch, and control it", long,
		newServe(app), newInit(app), newHealthcheck(r), newState(r), newReset(r), newFaults(r), newClock(r), newKeys(r),
		newRequests(r), newMint(r), newBill(r), newBehavior(r),
	)
	return group
}
