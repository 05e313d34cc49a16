package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/secret"
)

// What went wrong, for errors.Is. A wrong configuration, client id or delivery is [rotate.ErrInvalidArgument].
var (
	// ErrOtherClient: the place holds the secret of another client, or one without a client id. Nothing was overwritten.
	ErrOtherClient = errors.New("the place belongs to another client")
	// ErrConflict: others changed the place each time between reading and writing it.
	ErrConflict = errors.New("the place is being changed by others")
)

const maxID = 256 // bytes of a client id

// place is what a deliverer prints as: it hides the fields around it.
type place string

// Format writes what the deliverer is, for every verb.
func (p place) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, string(p)) }

// wrong is an error of a sentinel with its particulars.
func wrong(sentinel error, format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{sentinel}, args...)...)
}

// checkID refuses ids that could lead to another place than their own.
func checkID(id string) error {
	switch {
	case id == "" || len(id) > maxID:
		return wrong(rotate.ErrInvalidArgument, "client id must have 1 to %d bytes", maxID)
	case !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl):
		return wrong(rotate.ErrInvalidArgument, "client id must be UTF-8 without control characters")
	case id == "." || id == ".." || strings.ContainsAny(id, `/\%?#`):
		return wrong(rotate.ErrInvalidArgument, "client id %q must not be a dot segment or contain any of /\\%%?#", id)
	}
	return nil
}

func check(d rotate.Delivery) error {
	if err := checkID(d.ClientID); err != nil {
		return err
	}
	if d.Secret.IsZero() {
		return wrong(rotate.ErrInvalidArgument, "delivery for client %q has no secret", d.ClientID)
	}
	for _, s := range []secret.String{d.Secret, d.Previous} {
		if _, err := json.Marshal(secret.Outgoing(s)); err != nil {
			return wrong(rotate.ErrInvalidArgument, "delivery for client %q: %w", d.ClientID, err)
		}
	}
	return nil
}

const (
	attempts = 10                    // more than the workers that are likely to share one place
	pause    = 10 * time.Millisecond // at most, before the second attempt; doubled for each after it
	maxPause = 250 * time.Millisecond
)

// insist calls try until it reports that it is done. Each time it is not, somebody else changed the place, and so got on.
func insist(ctx context.Context, where string, try func() (done bool, err error)) error {
	for n := range attempts {
		if n > 0 {
			if err := wait(ctx, rand.N(min(pause<<(n-1), maxPause))); err != nil { //nolint:gosec // spreads load, guards nothing
				return fmt.Errorf("deliver: %s: %w", where, err)
			}
		}
		if done, err := try(); done || err != nil {
			return err
		}
	}
	return fmt.Errorf("deliver: %s: %w: %d attempts failed", where, ErrConflict, attempts)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
