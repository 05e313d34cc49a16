package conformance

import (
	"context"
	"testing"
)

// A reporter is the part of testing.T that the suite needs. It is an interface so that the tests of
// the suite can watch it fail without failing themselves.
type reporter interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Logf(format string, args ...any)
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Run(name string, f func(reporter)) bool
}

// test reports to a test.
type test struct{ *testing.T }

func (t test) Run(name string, f func(reporter)) bool {
	return t.T.Run(name, func(t *testing.T) { f(test{t}) })
}
