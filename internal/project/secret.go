package project

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stytchkit/m2m/stytch/secret"
)

const maxSecret = 1024

var (
	errSecretEmpty    = errors.New("project secret must not be empty")
	errSecretSwap     = errors.New("project secret must not be a project id: the arguments seem to be swapped")
	errSecretRedacted = errors.New("project secret was redacted before it got here")
	errSecret         = errors.New("project secret must be printable ASCII without spaces, at most 1024 bytes")

	errClientSecretEmpty    = errors.New("client secret must not be empty")
	errClientSecretProject  = errors.New("client secret must not be a project id")
	errClientSecretRedacted = errors.New("client secret was redacted before it got here")
	errClientSecret         = errors.New("client secret must be at most 1024 bytes of UTF-8 without control characters")
)

// CheckSecret accepts the secrets of projects: printable ASCII without spaces, at most 1024 bytes.
func CheckSecret(text string) error {
	switch {
	case text == "":
		return errSecretEmpty
	case strings.HasPrefix(text, testPrefix), strings.HasPrefix(text, livePrefix):
		return errSecretSwap
	case strings.Contains(text, secret.Placeholder):
		return errSecretRedacted
	case len(text) > maxSecret || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errSecret
	}
	return nil
}

// CheckCredentials is [CheckID] and [CheckSecret]; of two faults it reports the one of the id.
func CheckCredentials(id, text string) error {
	if err := CheckID(id); err != nil {
		return err
	}
	return CheckSecret(text)
}

// CheckClientSecret accepts the secrets of clients, those chosen at import included: 1 to 1024
// bytes of UTF-8 without control characters.
func CheckClientSecret(text string) error {
	switch {
	case text == "":
		return errClientSecretEmpty
	case strings.HasPrefix(text, testPrefix), strings.HasPrefix(text, livePrefix):
		return errClientSecretProject
	case strings.Contains(text, secret.Placeholder):
		return errClientSecretRedacted
	case len(text) > maxSecret || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return errClientSecret
	}
	return nil
}
