package verify_test

import (
	"testing"

	"github.com/stytchkit/m2m/stytch/verify"
)

func TestHasScope(t *testing.T) {
	for _, test := range []struct {
		granted, wanted string
		want            bool
	}{
		{"read:users", "read:users", true},
		{"read", "read", true},
		{"read:*", "read:users", true},
		{"read:*", "read:users:me", true},
		{"read:*", "read:*", true},
		{"read:*", "read", false},
		{"read:*", "read:", false},
		{"read:*", "ready:users", false},
		{"read", "read:-", false},
		{"read", "read:users", false},
		{"read:users", "read:*", false},
		{"read:users", "read:users:me", false},
		{"read:users:me", "read:users:all", false},
		{"read:users:me", "read:users", false},
		{"read:users:*", "read:users:me", false},
		{"read:users:*", "read:users:*", true},
		{"*", "read:users", false},
		{"*", "read", false},
		{"*", "*", true},
		{"*:*", "read:users", false},
		{":*", ":users", true},
		{"Read:users", "read:users", false},
		{"constructor", "constructor", true},
		{"", "", false},
		{"read:users", "", false},
	} {
		claims := verify.Claims{Scope: "x " + test.granted}
		if got := claims.HasScope(test.wanted); got != test.want {
			t.Errorf("%q for %q: %v, want %v", test.granted, test.wanted, got, test.want)
		}
	}
	if (verify.Claims{}).HasScope("read") {
		t.Error("a token without scopes has one")
	}
}
