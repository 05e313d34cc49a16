package rotate

import (
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/audit"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// A stop is a failure of the engine that has a name, in JSON and in docs/runbook.md.
type stop struct {
	err   error
	name  string
	class cli.Class
	look  []advice
	mend  []advice
}

// An advice is a command to run. ID in it stands for the client, and FILE for a file that the
// person names.
type advice struct {
	command string
	when    string // in which case; "" for always
}

// stops are all of them. The first one that an error matches counts, so those where a person must
// decide come first. A place that cannot be read comes before what is not known because of it.
var stops = []stop{
	{
		rotate.ErrOtherRotation, "other_rotation", cli.NeedsHuman,
		[]advice{{"rotate check ID", ""}},
		[]advice{
			{"rotate adopt ID", "if the journal of that rotation was lost and its places hold both secrets"},
			{"rotate run ID --take-over", "if no service uses the pending secret: it is canceled"},
		},
	},
	{
		rotate.ErrDelivery, "delivery", cli.Unavailable,
		[]advice{{"rotate check ID", "names the place and what is wrong with it"}},
		[]advice{
			{"rotate resume ID", "when the place is mended"},
			{"rotate cancel ID", "to keep the current secret"},
		},
	},
	{
		rotate.ErrCurrentRefused, "current_refused", cli.NeedsHuman,
		[]advice{{"rotate check ID", ""}, {"clients get ID", "is it active?"}},
		[]advice{
			{"rotate set-current ID --secret-file FILE", "with the secret that services use"},
			{"rotate resume ID", "then, or when the place holds that secret"},
		},
	},
	{
		rotate.ErrCurrentUnknown, "current_unknown", cli.NeedsHuman,
		[]advice{{"rotate check ID", ""}},
		[]advice{
			{"rotate set-current ID --secret-file FILE", "if you have the secret; then rotate resume ID"},
			{"rotate run ID --unknown-current", "if the secret is lost, and no service uses it"},
		},
	},
	{
		rotate.ErrNoWorkingSecret, "no_working_secret", cli.NeedsHuman,
		[]advice{{"clients get ID", "is it active?"}, {"rotate check ID", ""}},
		[]advice{
			{"rotate step start ID --secret-to file:FILE", "a secret of your own; if a rotation is pending, rotate step cancel ID first"},
			{"rotate step complete ID", "when services have it"},
			{"rotate set-current ID --secret-file FILE", "then rotate resume ID"},
		},
	},
	{
		rotate.ErrInconsistent, "inconsistent", cli.NeedsHuman,
		[]advice{{"clients get ID", ""}, {"rotate check ID", ""}},
		[]advice{{"rotate resume ID", "everything is looked at again"}, {"rotate forget ID", "if that does not help, and the place holds a secret that works"}},
	},
	{
		rotate.ErrOnlySecret, "only_secret", cli.NeedsHuman,
		[]advice{{"rotate status ID", ""}, {"rotate check ID", ""}},
		[]advice{{"rotate resume ID", "brings the secret to its places"}},
	},
	{
		rotate.ErrCompromised, "compromised", cli.NeedsHuman,
		[]advice{{"rotate status ID", ""}, {"clients get ID", ""}},
		[]advice{
			{"rotate resume ID --compromised", "tries the previous secret again"},
			{"clients delete ID", "if it still works: that ends all secrets of the client"},
		},
	},
	{
		rotate.ErrNotAdopted, "not_adopted", cli.NeedsHuman,
		[]advice{{"rotate check ID", ""}},
		[]advice{{"rotate run ID --take-over", "if no service uses the pending secret: it is canceled"}},
	},
	{
		rotate.ErrNewerVersion, "newer_version", cli.NeedsHuman,
		[]advice{{"version", ""}, {"rotate fsck", ""}},
		[]advice{{"rotate resume --all", "with the version of stytchctl that wrote the record"}},
	},
	{
		rotate.ErrOtherProject, "other_project", cli.NeedsHuman,
		[]advice{{"whoami", "which project is it?"}, {"rotate fsck", ""}},
		[]advice{{"rotate status ID", "with the --journal or the credentials of the right project"}},
	},
	{
		rotate.ErrWrongKey, "wrong_key", cli.NeedsHuman,
		[]advice{{"rotate fsck", "names each record that these keys do not open"}},
		[]advice{{"rotate rekey", "with the key that is missing as a further --journal-key-file"}},
	},
	{
		rotate.ErrCorrupt, "corrupt", cli.NeedsHuman,
		[]advice{{"rotate fsck", "names the record"}, {"clients get ID", "is a rotation pending?"}},
		[]advice{
			{"rotate adopt ID", "without the record, if a rotation is pending"},
			{"rotate run ID", "without the record, if none is"},
		},
	},
	{
		audit.ErrBroken, "audit_broken", cli.NeedsHuman,
		[]advice{{"rotate fsck --audit FILE", "names the line"}},
		[]advice{{"rotate list", "move the log away when this shows none, and begin another one"}},
	},
	{
		rotate.ErrGone, "gone", cli.NotFound,
		[]advice{{"clients get ID", ""}, {"whoami", "is it the right project?"}},
		[]advice{{"rotate run ID", "if the client exists after all"}},
	},
	{
		rotate.ErrBusy, "busy", cli.Conflict,
		[]advice{{"rotate status ID", ""}},
		[]advice{{"rotate resume ID", "when the other process has ended"}},
	},
	{
		rotate.ErrCanceled, "canceled", cli.Conflict,
		[]advice{{"rotate status ID", ""}},
		[]advice{{"rotate run ID", "to rotate all the same"}},
	},
	{
		rotate.ErrJournal, "journal", cli.Unavailable,
		[]advice{{"rotate fsck", ""}},
		[]advice{{"rotate resume --all", "when the journal is mended"}},
	},
	{
		fleet.ErrTooManyFailures, "too_many_failures", cli.Partial,
		[]advice{{"rotate list", ""}},
		[]advice{{"rotate resume --all", "when the cause is mended"}},
	},
	{
		rotate.ErrNoRotation, "no_rotation", cli.NotFound,
		[]advice{{"rotate status ID", ""}},
		[]advice{{"rotate run ID", "to start one"}},
	},
	{rotate.ErrInvalidArgument, "invalid_argument", cli.Usage, nil, nil},
}
