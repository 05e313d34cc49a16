package filejournal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/stytchkit/m2m/internal/project"
)

const (
	recordSuffix = ".json"
	lockSuffix   = ".lock"
	leaseSuffix  = ".lease" // version 1
)

// fileName returns the name of a client's files, without the suffix. No two clients share a name,
// even where file names ignore case: an id with anything but lower-case letters, digits and hyphens
// becomes a hash behind an underscore.
func fileName(clientID string) string {
	plain := func(c rune) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' }
	if len(clientID) <= 128 && clientID[0] != '-' && !strings.ContainsFunc(clientID, func(c rune) bool { return !plain(c) }) {
		return clientID
	}
	sum := sha256.Sum256([]byte(clientID))
	return "_" + hex.EncodeToString(sum[:])
}

// check refuses an id that no client has, and a context that has ended.
func check(ctx context.Context, clientID string) error {
	if err := project.CheckClientID(clientID); err != nil {
		return invalid(err.Error())
	}
	if err := ctx.Err(); err != nil {
		return failed(err)
	}
	return nil
}
