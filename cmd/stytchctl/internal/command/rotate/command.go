// Package rotate has the commands that rotate secrets: the engine for operators, and what looks
// after its journal.
package rotate

import (
	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

const long = `Changes the secret of a client that is in use, without an outage and without ever losing
a secret: "run" requests the next secret, stores it in the journal, proves it, gives it to
the places where services read it, waits for --grace, proves it again, and completes. A
rotation that was interrupted at any point is continued by "resume" or the next "run".

Commands other than "step" share a journal: a folder of this machine, or a PostgreSQL
database for several workers. It holds the secrets of rotations in progress, encrypted
with --journal-key-file. STYTCHCTL_JOURNAL and STYTCHCTL_JOURNAL_KEY_FILE stand in for
--journal and --journal-key-file.

Where the engine stops, it names the reason and the commands that help; docs/runbook.md
has them all.`

// New is stytchctl rotate.
func New(app *cli.App) *cobra.Command {
	return cli.Group("rotate", "Rotate the secrets of clients and apps", long,
		newRun(app), newCheck(app), newStatus(app), newList(app), newResume(app), newCancel(app), newAdopt(app),
		newForget(app), newSetCurrent(app), newRekey(app), newPurge(app), newFsck(app), newStep(app))
}
