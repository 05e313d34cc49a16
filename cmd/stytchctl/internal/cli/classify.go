package cli

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

// sentinels of the packages, and what they mean. The first that matches counts, so what may have
// taken effect comes first.
var sentinels = []struct {
	err   error
	class Class
}{
	{stytch.ErrOutcomeUnknown, OutcomeUnknown},
	{rotate.ErrCanceled, Conflict},
	{rotate.ErrBusy, Conflict},
	{rotate.ErrNoRotation, NotFound},
	{rotate.ErrGone, NotFound},
	{rotate.ErrOtherRotation, NeedsHuman},
	{rotate.ErrCurrentRefused, NeedsHuman},
	{rotate.ErrCurrentUnknown, NeedsHuman},
	{rotate.ErrNoWorkingSecret, NeedsHuman},
	{rotate.ErrInconsistent, NeedsHuman},
	{rotate.ErrOnlySecret, NeedsHuman},
	{rotate.ErrCompromised, NeedsHuman},
	{rotate.ErrNotAdopted, NeedsHuman},
	{rotate.ErrCorrupt, NeedsHuman},
	{rotate.ErrNewerVersion, NeedsHuman},
	{rotate.ErrWrongKey, NeedsHuman},
	{rotate.ErrOtherProject, NeedsHuman},
	{stytch.ErrInvalidArgument, Usage},
	{rotate.ErrInvalidArgument, Usage},
	{token.ErrInvalidArgument, Usage},
	{verify.ErrInvalidArgument, Usage},
	{stytch.ErrNotFound, NotFound},
	{stytch.ErrUnauthorized, Auth},
	{stytch.ErrForbidden, Auth},
	{token.ErrInvalidClient, Auth},
	{token.ErrCredentials, Auth},
	{stytch.ErrAlreadyExists, Conflict},
	{stytch.ErrRotating, Conflict},
	{stytch.ErrNotRotating, Conflict},
	{stytch.ErrNoSecret, Conflict},
	{stytch.ErrInactive, Conflict},
	{stytch.ErrRateLimited, Unavailable},
	{stytch.ErrUnavailable, Unavailable},
	{token.ErrRateLimited, Unavailable},
	{token.ErrUnavailable, Unavailable},
	{token.ErrBudget, Unavailable},
	{verify.ErrKeysUnavailable, Unavailable},
	{rotate.ErrJournal, Unavailable},
	{rotate.ErrDelivery, Unavailable},
	{stytch.ErrInvalidRequest, Usage},
	{token.ErrInvalidScope, Usage},
}

// Classify says what kind of failure an error is.
func Classify(err error) Class {
	var own *Error
	for inner := err; errors.As(inner, &own); inner = own.Err {
		if own.Class != "" {
			return own.Class
		}
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.class
		}
	}
	var response *stytch.Error
	if errors.As(err, &response) && (response.StatusCode == http.StatusConflict) {
		return Conflict
	}
	if errors.Is(err, context.Canceled) {
		return Interrupted
	}
	var file *fs.PathError
	var link *os.LinkError
	if errors.As(err, &file) || errors.As(err, &link) {
		return Internal // although the number of a system error looks like an error of the network
	}
	var network net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) {
		return Unavailable
	}
	return Internal
}
