package rotate

import (
	"context"
	"errors"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A guardedTarget keeps the engine from erasing the secrets of a rotation because --app was
// forgotten or is one too many: a client that does not exist may be one of the other kind, and only
// one that is neither is gone.
type guardedTarget struct {
	*stytch.Secrets
	other *stytch.Secrets // of the other kind
	app   bool            // the target is that of Connected Apps
}

var _ rotate.Target = guardedTarget{}

// target is what rotates the secrets of M2M clients, or of Connected Apps.
func target(api *stytch.Client, app bool) guardedTarget {
	if app {
		return guardedTarget{api.ConnectedApps.Secrets, api.M2M.Secrets, true}
	}
	return guardedTarget{api.M2M.Secrets, api.ConnectedApps.Secrets, false}
}

// Start implements rotate.Target.
func (t guardedTarget) Start(ctx context.Context, clientID string) (secret.String, error) {
	next, err := t.Secrets.Start(ctx, clientID)
	return next, t.check(ctx, clientID, err)
}

// Complete implements rotate.Target.
func (t guardedTarget) Complete(ctx context.Context, clientID string) error {
	return t.check(ctx, clientID, t.Secrets.Complete(ctx, clientID))
}

// Cancel implements rotate.Target.
func (t guardedTarget) Cancel(ctx context.Context, clientID string) error {
	return t.check(ctx, clientID, t.Secrets.Cancel(ctx, clientID))
}

// LastFour implements rotate.Target.
func (t guardedTarget) LastFour(ctx context.Context, clientID string) (secret.LastFour, error) {
	seen, err := t.Secrets.LastFour(ctx, clientID)
	return seen, t.check(ctx, clientID, err)
}

// Probe implements rotate.Prober, for M2M clients only.
func (t guardedTarget) Probe(ctx context.Context, clientID string, s secret.String) (bool, error) {
	accepted, err := t.Secrets.Probe(ctx, clientID, s)
	return accepted, t.check(ctx, clientID, err)
}

// check is the error of a call. Only if no client of the other kind has the id either does it say
// that the client is gone.
func (t guardedTarget) check(ctx context.Context, clientID string, err error) error {
	if !errors.Is(err, stytch.ErrNotFound) {
		return err
	}
	switch _, other := t.other.LastFour(ctx, clientID); {
	case errors.Is(other, stytch.ErrNotFound):
		return err
	case other == nil, errors.Is(other, stytch.ErrNoSecret):
		return otherKind(t.app)
	default:
		return &uncertainError{other}
	}
}

// otherKindError is the answer for a client of the other kind. Nothing was done, and the client is
// not gone.
type otherKindError struct{ err error }

func otherKind(app bool) error {
	if app {
		return &otherKindError{cli.Usagef("it is an M2M client, not a Connected App: leave out --app")}
	}
	return &otherKindError{cli.Usagef("it is a Connected App, not an M2M client: give --app")}
}

func (e *otherKindError) Error() string { return e.err.Error() }

// OutcomeUnknown is what rotate asks an error of a target.
func (e *otherKindError) OutcomeUnknown() bool { return false }

// Unwrap makes it a usage error of the command line.
func (e *otherKindError) Unwrap() error { return e.err }

// uncertainError is the answer for a client that was not found, while nothing shows whether one of
// the other kind has its id.
type uncertainError struct{ err error }

func (e *uncertainError) Error() string {
	return "it was not found, and looking for one of the other kind failed: " + e.err.Error()
}

// OutcomeUnknown is what rotate asks an error of a target: the request was refused.
func (e *uncertainError) OutcomeUnknown() bool { return false }

// Gone is what rotate asks an error of a target.
func (e *uncertainError) Gone() bool { return false }

// Unwrap is why it is not known.
func (e *uncertainError) Unwrap() error { return e.err }
