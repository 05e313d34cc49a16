package cli

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// An Error is a failure that a command describes itself. Err, if there is one, stays visible to
// errors.Is.
type Error struct {
	Class   Class  // "" leaves it to Err
	Type    string // what programs distinguish within a class; "" for nothing, or for that of a response
	Details any    // more for programs, as JSON; nil for nothing, or for those of a response
	Message string
	Err     error
}

func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Message
	case e.Message == "":
		return e.Err.Error()
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf is an [Error] of a class. As with fmt.Errorf, %w keeps a cause visible to errors.Is.
func Errorf(class Class, format string, args ...any) error {
	return &Error{Class: class, Err: fmt.Errorf(format, args...)}
}

// Usagef refuses a command line or an input file before anything was done.
func Usagef(format string, args ...any) error { return Errorf(Usage, format, args...) }

// errBrokenPipe ends a command quietly: the reader of its output has seen enough.
var errBrokenPipe = errors.New("the reader of stdout went away")

// withoutBrokenPipe is err without [errBrokenPipe], which must not hide what else failed; nil if it
// is nothing else.
func withoutBrokenPipe(err error) error {
	if err == errBrokenPipe { //nolint:errorlint // it itself, not what wraps it
		return nil
	}
	switch e := err.(type) { //nolint:errorlint // the tree is walked here
	case interface{ Unwrap() []error }:
		all := e.Unwrap()
		var kept []error
		for _, one := range all {
			if one = withoutBrokenPipe(one); one != nil {
				kept = append(kept, one)
			}
		}
		switch {
		case len(kept) == 0:
			return nil
		case len(kept) < len(all) && err.Error() == errors.Join(all...).Error(): // a message without a text of its own
			return errors.Join(kept...)
		}
	case interface{ Unwrap() error }:
		if cause := e.Unwrap(); cause != nil && withoutBrokenPipe(cause) == nil {
			return nil
		}
	}
	return err
}

// PipeError is the error of writing to stdout, such that the command ends quietly if the reader
// went away.
func PipeError(err error) error {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return errBrokenPipe
	}
	return err
}
