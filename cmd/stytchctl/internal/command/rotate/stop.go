package rotate

import (
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/audit"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/fleet"
)

// A stop is a failure of the engine that has a name, in JSON and in docs/runbook.md.
type stop struct {
	err   error
	name  string
	class cli.Class
	look  []advice
	fix   []advice
	fresh []advice // instead of fix, where nothing was begun
}

// fixes are the commands that fix what an error reports.
func (s stop) fixes(err error) []advice {
	if s.fresh != nil && !inProgress(err) {
		return s.fresh
	}
	return s.fix
}

// An advice is a command to run. ID in it stands for the client, and FILE for a file that the
// person names.
type advice struct {
	command string
	when    string // in which case; "" for always
}

// stops are all of them. The first one that an error matches counts: the ends of a rotation come
// before their causes, a place that cannot be read before what is not known because of it, and what
// a person must decide before what another try may fix.
var stops = []stop{
	{
		err: rotate.ErrGone, name: "gone", class: cli.NotFound,
		look: []advice{{"clients get ID", ""}, {"whoami", "is it the right project?"}},
		fix:  []advice{{"rotate run ID", "if the client exists after all"}},
	},
	{
		err: rotate.ErrCanceled, name: "canceled", class: cli.Conflict,
		look: []advice{{"rotate status ID", ""}},
		fix:  []advice{{"rotate run ID", "to rotate all the same"}},
	},
	{
		err: rotate.ErrOtherRotation, name: "other_rotation", class: cli.NeedsHuman,
		look: []advice{{"rotate check ID", ""}, {"clients get ID", ""}},
		fix: []advice{
			{"rotate adopt ID", "if the journal of that rotation was lost and its places hold both secrets"},
			{"rotate run ID --take-over", "if no service uses the pending secret: it is canceled"},
		},
	},
	{
		err: deliver.ErrOtherClient, name: "other_client", class: cli.NeedsHuman,
		look: []advice{{"rotate check ID", "names the place"}},
		fix: []advice{
			{"rotate resume ID", "with the right place, or when what is there was moved away"},
			{"rotate cancel ID", "to keep the current secret"},
		},
		fresh: []advice{{"rotate run ID", "with the right place, or when what is there was moved away"}},
	},
	{
		err: rotate.ErrDelivery, name: "delivery", class: cli.Unavailable,
		look: []advice{{"rotate check ID", "names the place and what is wrong with it"}},
		fix: []advice{
			{"rotate resume ID", "when the place is fixed"},
			{"rotate cancel ID", "to keep the current secret"},
		},
		fresh: []advice{{"rotate run ID", "when the place is fixed"}},
	},
	{
		err: rotate.ErrCurrentRefused, name: "current_refused", class: cli.NeedsHuman,
		look: []advice{{"rotate check ID", ""}, {"clients get ID", "is it active? how does its secret end?"}},
		fix: []advice{
			{"rotate set-current ID --secret-file FILE", "with the secret that services use"},
			{"rotate resume ID", "then, or when the place holds that secret"},
		},
	},
	{
		err: rotate.ErrCurrentUnknown, name: "current_unknown", class: cli.NeedsHuman,
		look: []advice{{"rotate check ID", ""}},
		fix: []advice{
			{"rotate set-current ID --secret-file FILE", "if you have the secret; then rotate resume ID"},
			{"rotate run ID --unknown-current", "if the secret is lost, and no service uses it"},
		},
	},
	{
		err: rotate.ErrNoWorkingSecret, name: "no_working_secret", class: cli.NeedsHuman,
		look: []advice{{"rotate status ID", ""}, {"clients get ID", "is it active? is a rotation pending?"}},
		fix: []advice{
			{"rotate step start ID --secret-to file:FILE", "a secret of your own; if a rotation is pending, rotate step cancel ID first"},
			{"rotate step complete ID", "when services have it"},
			{"rotate set-current ID --secret-file FILE", "then rotate resume ID"},
		},
	},
	{
		err: rotate.ErrInconsistent, name: "inconsistent", class: cli.NeedsHuman,
		look: []advice{{"rotate status ID", ""}, {"clients get ID", ""}},
		fix:  []advice{{"rotate resume ID", "everything is looked at again"}, {"rotate forget ID", "if that does not help, and the place holds a secret that works"}},
	},
	{
		err: rotate.ErrOnlySecret, name: "only_secret", class: cli.NeedsHuman,
		look: []advice{{"rotate status ID", ""}, {"rotate check ID", ""}},
		fix:  []advice{{"rotate resume ID", "brings the secret to its places"}},
	},
	{
		err: rotate.ErrCompromised, name: "compromised", class: cli.NeedsHuman,
		look: []advice{{"rotate status ID", ""}, {"clients get ID", ""}},
		fix: []advice{
			{"rotate resume ID --compromised", "tries the previous secret again"},
			{"clients delete ID", "if it still works: that ends all secrets of the client"},
		},
	},
	{
		err: rotate.ErrNotAdopted, name: "not_adopted", class: cli.NeedsHuman,
		look: []advice{{"rotate check ID", ""}},
		fix:  []advice{{"rotate run ID --take-over", "if no service uses the pending secret: it is canceled"}},
	},
	{
		err: rotate.ErrNewerVersion, name: "newer_version", class: cli.NeedsHuman,
		look: []advice{{"version", ""}, {"rotate fsck", ""}},
		fix:  []advice{{"rotate resume --all", "with the version of stytchctl that wrote the record"}},
	},
	{
		err: rotate.ErrOtherProject, name: "other_project", class: cli.NeedsHuman,
		look: []advice{{"whoami", "which project is it?"}, {"rotate fsck", ""}},
		fix:  []advice{{"rotate status ID", "with the --journal or the credentials of the right project"}},
	},
	{
		err: rotate.ErrWrongKey, name: "wrong_key", class: cli.NeedsHuman,
		look: []advice{{"rotate fsck", "names each record that these keys do not open"}},
		fix:  []advice{{"rotate rekey", "with the key that is missing as a further --journal-key-file"}},
	},
	{
		err: rotate.ErrCorrupt, name: "corrupt", class: cli.NeedsHuman,
		look: []advice{{"rotate fsck", "names the record"}, {"clients get ID", "is a rotation pending?"}},
		fix: []advice{
			{"rotate adopt ID", "without the record, if a rotation is pending"},
			{"rotate run ID", "without the record, if none is"},
		},
	},
	{
		err: audit.ErrBroken, name: "audit_broken", class: cli.NeedsHuman,
		look: []advice{{"rotate fsck --audit FILE", "names the line"}},
		fix:  []advice{{"rotate list", "move the log away when this shows none, and begin another one"}},
	},
	{
		err: rotate.ErrBusy, name: "busy", class: cli.Conflict,
		look: []advice{{"rotate status ID", ""}},
		fix:  []advice{{"rotate resume ID", "when the other process has ended"}},
	},
	{
		err: rotate.ErrJournal, name: "journal", class: cli.Unavailable,
		look: []advice{{"rotate fsck", ""}},
		fix:  []advice{{"rotate resume --all", "when the journal is fixed"}},
	},
	{
		err: fleet.ErrTooManyFailures, name: "too_many_failures", class: cli.Partial,
		look: []advice{{"rotate list", ""}},
		fix:  []advice{{"rotate resume --all", "when the cause is fixed"}},
	},
	{
		err: rotate.ErrNoRotation, name: "no_rotation", class: cli.NotFound,
		look: []advice{{"rotate status ID", ""}},
		fix:  []advice{{"rotate run ID", "to start one"}},
	},
	{err: rotate.ErrInvalidArgument, name: "invalid_argument", class: cli.Usage},
}
