package release

import (
	"fmt"
	"strings"
)

const (
	changelogFile = "CHANGELOG.md"
	unreleased    = "## Unreleased\n"
)

// releaseNotes gives what is unreleased in a changelog to a version, and returns the changelog with
// the new section and the text of the section.
func releaseNotes(changelog, version, date string) (whole, notes string, err error) {
	before, rest, found := strings.Cut("\n"+changelog, "\n"+unreleased)
	if !found {
		return "", "", fmt.Errorf("release: %s: it has no section %q: add it", changelogFile, strings.TrimSpace(unreleased))
	}
	notes, after, _ := strings.Cut(rest, "\n## ")
	if after != "" {
		after = "\n## " + after
	}
	if notes = strings.TrimSpace(notes); notes == "" {
		return "", "", fmt.Errorf("release: %s: the section %q is empty: write what users can do with %s", changelogFile, strings.TrimSpace(unreleased), version)
	}
	before = strings.TrimPrefix(before+"\n", "\n")
	return before + unreleased + "\n" + heading(version) + date + "\n\n" + notes + "\n" + after, notes + "\n", nil
}

// notesOf returns the section of a version that a changelog has already.
func notesOf(changelog, version string) (string, error) {
	_, rest, found := strings.Cut("\n"+changelog, "\n"+heading(version))
	_, notes, _ := strings.Cut(rest, "\n")
	notes, _, _ = strings.Cut(notes, "\n## ")
	if notes = strings.TrimSpace(notes); !found || notes == "" {
		return "", fmt.Errorf("release: %s: it has no text for %s, which has its tag: tag another commit", changelogFile, version)
	}
	return notes + "\n", nil
}

func heading(version string) string { return "## " + version + ", " }
