package project

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxID = 256

	testPrefix   = "project-test-"
	livePrefix   = "project-live-"
	secretPrefix = "secret-"
)

var (
	errIDEmpty = errors.New("project id must not be empty")
	errIDSwap  = errors.New("project id must not be a secret: the arguments seem to be swapped")
	errID      = errors.New("project id must be project-test- or project-live- followed by letters, digits and hyphens, at most 256 bytes")

	errClientIDEmpty   = errors.New("client id must not be empty")
	errClientIDProject = errors.New("client id must not be a project id")
	errClientIDSecret  = errors.New("client id must not be a secret: the arguments seem to be swapped")
	errClientID        = errors.New("client id must be at most 256 bytes of UTF-8 without spaces and control characters")
)

// CheckID accepts the ids of Stytch's projects: project-test- or project-live-, then letters,
// digits and hyphens, at most 256 bytes. The prefix decides which host gets the project's secret,
// so an id without one of them is refused.
func CheckID(id string) error {
	switch {
	case id == "":
		return errIDEmpty
	case strings.HasPrefix(id, secretPrefix):
		return errIDSwap
	}
	rest, ok := strings.CutPrefix(id, testPrefix)
	if !ok {
		rest, ok = strings.CutPrefix(id, livePrefix)
	}
	if !ok || rest == "" || len(id) > maxID || strings.ContainsFunc(rest, func(r rune) bool { return !isAlphanumeric(r) && r != '-' }) {
		return errID
	}
	return nil
}

// CheckClientID accepts the ids of M2M clients and Connected Apps, those chosen at import included:
// 1 to 256 bytes of UTF-8 without spaces and control characters. Ids of projects and secrets are
// refused.
//
// It does not judge whether an id is safe in a path: that depends on where the path leads.
func CheckClientID(id string) error {
	switch {
	case id == "":
		return errClientIDEmpty
	case strings.HasPrefix(id, testPrefix), strings.HasPrefix(id, livePrefix):
		return errClientIDProject
	case strings.HasPrefix(id, secretPrefix):
		return errClientIDSecret
	case len(id) > maxID || !utf8.ValidString(id) || strings.ContainsFunc(id, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }):
		return errClientID
	}
	return nil
}

// Environment is "live" or "test", by the id of a project.
func Environment(id string) string {
	if strings.HasPrefix(id, livePrefix) {
		return "live"
	}
	return "test"
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
