package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/keyset"
	"github.com/stytchkit/m2m/stytch"
)

// Clocks that differ by maxSkew make verifiers refuse tokens: it is their usual leeway. The header
// of a response has whole seconds.
const (
	maxSkew    = 30 * time.Second
	noticeable = 5 * time.Second
)

// checkService asks the API itself.
func (e *examination) checkService(ctx context.Context, reachable bool) {
	if !reachable {
		for _, check := range []string{"key set", "clock", "access"} {
			e.add(check, skipped, "the API cannot be reached", "")
		}
		return
	}
	found, err := keyset.Fetch(ctx, e.app, false)
	if cli.Classify(err) == cli.NotFound {
		if b2b, b2bErr := keyset.Fetch(ctx, e.app, true); b2bErr == nil {
			found, err = b2b, nil
		}
	}
	if err != nil {
		e.fail("key set", err, "check the address and the project id")
		e.add("clock", skipped, "there was no response", "")
	} else {
		e.checkKeys(found)
		e.checkClock(found)
	}
	e.checkAccess(ctx)
}

func (e *examination) checkKeys(found *keyset.KeySet) {
	dropped := found.Set.Dropped()
	if len(dropped) == 0 {
		e.good("key set", "%d usable keys", found.Set.Len())
		return
	}
	e.add("key set", warning, fmt.Sprintf("%d usable keys, and %d that are not", found.Set.Len(), len(dropped)), "stytchctl keys list")
}

func (e *examination) checkClock(found *keyset.KeySet) {
	const check = "clock"
	if found.Date.IsZero() {
		e.add(check, skipped, "the response has no date", "")
		return
	}
	// The response was dated at some time between the request and its end, in whole seconds.
	skew := e.app.Now().Sub(found.Date) - found.Took/2 - time.Second/2
	direction := "ahead of"
	if skew < 0 {
		skew, direction = -skew, "behind"
	}
	text := fmt.Sprintf("this machine is %v %s the server", skew.Round(time.Second), direction)
	switch {
	case skew > maxSkew:
		e.add(check, fault, text, "set it by NTP: tokens are refused otherwise")
	case skew > noticeable:
		e.add(check, warning, text, "set it by NTP")
	default:
		e.good(check, "it agrees with the server's")
	}
}

// checkAccess lets the API judge the credentials, by a search that changes nothing.
func (e *examination) checkAccess(ctx context.Context) {
	const check = "access"
	if e.credentials.ProjectID == "" {
		e.add(check, skipped, "there are no credentials to try", "")
		return
	}
	api, err := e.app.Client(e.credentials)
	if err == nil {
		_, err = api.M2M.SearchPage(ctx, stytch.M2MSearch{Limit: 1})
	}
	switch {
	case err == nil:
		e.good(check, "the credentials are accepted")
	case errors.Is(err, stytch.ErrUnauthorized):
		e.fail(check, err, "the id and the secret must be of the same project, and the secret must not have been deleted: see the dashboard of Stytch")
	case errors.Is(err, stytch.ErrForbidden):
		e.fail(check, err, "the project or the workspace may not use this API: see the dashboard of Stytch")
	case errors.Is(err, stytch.ErrRateLimited):
		e.add(check, warning, "too many requests at the moment (429)", "try again later")
	default:
		e.fail(check, err, "try again later; if it stays, send the request id to the support of Stytch")
	}
}
