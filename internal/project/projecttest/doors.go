// Package projecttest holds the constructors and options by which ids enter the SDK to the same
// verdict on the same value, in the same words: those of package project.
package projecttest

import (
	"errors"
	"strings"
	"testing"
)

var long = strings.Repeat("a", 257)

// IDs are good and bad ids of projects, for project.CheckID.
var IDs = []string{
	"project-test-1", "project-live-1", "project-test-11111111-1111-4111-8111-111111111111",
	"", "p", "project-1", "project-test-", "project-test-a_b.c~", "project-test-a/../b", "project-test-a:b", "project-test-a b",
	"project-test-a\n", "project-test-\xff", "project-test-é", "PROJECT-TEST-1", "secret-test-1", "m2m-client-test-1", "project-test-" + long,
}

// ClientIDs are good and bad ids of clients, for project.CheckClientID.
var ClientIDs = []string{
	"m2m-client-test-1", "legacy_client.01",
	"", "a b", "a\n", "\xff", "a\x00", "project-test-1", "project-live-1", "secret-test-1", long,
}

// Door compares what try makes of each value with what the rule says. Errors must be invalid, the
// ErrInvalidArgument of its package, and end with the words of the rule.
func Door(t testing.TB, name string, rule func(string) error, values []string, invalid error, try func(value string) error) {
	t.Helper()
	for _, value := range values {
		want, err := rule(value), try(value)
		switch {
		case want == nil && err != nil:
			t.Errorf("%s refuses %q: %v", name, value, err)
		case want != nil && err == nil:
			t.Errorf("%s accepts %q, which %q forbids", name, value, want)
		case want == nil:
		case !strings.HasSuffix(err.Error(), want.Error()):
			t.Errorf("%s refuses %q with %q, want the words %q", name, value, err, want)
		case !errors.Is(err, invalid):
			t.Errorf("%s: %q is not ErrInvalidArgument", name, err)
		}
	}
}
