package emulator

import (
	"errors"
	"fmt"
)

// ErrInvalidArgument is what errors.Is finds in every error of an option, a seed, a fault or a
// claim that cannot be used.
var ErrInvalidArgument = errors.New("emulator: invalid argument")

func invalidArgument(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalidArgument}, args...)...)
}
