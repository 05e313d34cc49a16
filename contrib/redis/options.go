package redis

import (
	"fmt"
	"time"
)

// Option changes a setting of [NewStore]. NewStore fails if an option is given a bad value.
type Option func(*settings) error

type settings struct {
	prefix  string
	timeout time.Duration
}

func defaults() settings {
	return settings{
		prefix:  "stytch-m2m:",
		timeout: 150 * time.Millisecond, // a token from Redis that takes longer is not worth waiting for
	}
}

// WithPrefix begins the keys with prefix instead of "stytch-m2m:". It may be empty. Services that
// share tokens need the same one.
func WithPrefix(prefix string) Option {
	return func(s *settings) error {
		s.prefix = prefix
		return nil
	}
}

// WithTimeout limits the time of each operation, 150 ms by default. It must be positive.
func WithTimeout(limit time.Duration) Option {
	return func(s *settings) error {
		if limit <= 0 {
			return invalid("WithTimeout", "timeout must be positive")
		}
		s.timeout = limit
		return nil
	}
}

// argumentError is a mistake of the caller, found before anything was sent.
type argumentError struct{ text string }

func (e *argumentError) Error() string        { return e.text }
func (e *argumentError) Is(target error) bool { return target == ErrInvalidArgument }

// invalid names the function or option, and the rule that its argument breaks.
func invalid(where, format string, args ...any) error {
	return &argumentError{"redis: " + where + ": " + fmt.Sprintf(format, args...)}
}
