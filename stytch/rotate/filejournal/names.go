package filejournal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

const (
	recordSuffix = ".json"
	lockSuffix   = ".lock"
	leaseSuffix  = ".lease" // version 1
)

func (j *Journal) path(clientID, suffix string) string {
	return filepath.Join(j.dir, fileName(clientID)+suffix)
}

// fileName returns the name of a client's files, without the suffix. No two clients share a name, even where file names ignore
// case: an id with anything but lower-case letters, digits and hyphens becomes a hash behind an underscore.
func fileName(clientID string) string {
	plain := func(c rune) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' }
	if len(clientID) <= 128 && clientID[0] != '-' && !strings.ContainsFunc(clientID, func(c rune) bool { return !plain(c) }) {
		return clientID
	}
	sum := sha256.Sum256([]byte(clientID))
	return "_" + hex.EncodeToString(sum[:])
}

// check refuses an id that a codec would refuse, and a context that has ended.
func check(ctx context.Context, clientID string) error {
	const most = 256
	if clientID == "" || len(clientID) > most || strings.ContainsRune(clientID, 0) || !utf8.ValidString(clientID) {
		return invalid("client id: must be 1 to 256 bytes of UTF-8 without NUL")
	}
	if err := ctx.Err(); err != nil {
		return failed(err)
	}
	return nil
}
