package release

import (
	"path/filepath"
	"testing"
)

func TestNewPlan(t *testing.T) {
	repository := newRepository(t, map[string]string{"a": "1"})
	for _, tag := range []string{"v0.9.0", "v0.10.0", "vnext", "contrib/redis/v0.11.0"} {
		mustRun(t, repository, "git", "tag", tag)
	}
	commitFiles(t, repository, map[string]string{"a": "2"})
	mustRun(t, repository, "git", "tag", "v0.10.1")

	for _, tc := range []struct {
		version string
		want    plan
		problem []string
	}{
		{version: "v0.11.0", want: plan{last: "v0.10.1"}},
		{version: "v1.0.0-rc.1", want: plan{last: "v0.10.1"}},
		{version: "v0.10.1", want: plan{last: "v0.10.0", tagged: true}},
		{version: "v0.10.0", problem: []string{"v0.10.0 is released already", "choose a greater version"}},
		{version: "v0.9.1", problem: []string{"v0.9.1 is not greater than the last version, v0.10.1"}},
		{version: "v0.10.1-rc.1", problem: []string{"is not greater"}},
		{version: "v2.0.0", problem: []string{`"v2.0.0" is not a version of github.com/stytchkit/m2m`}},
		{version: "0.11.0", problem: []string{"write v0.2.0"}},
		{version: "v0.11", problem: []string{"write v0.2.0"}},
		{version: "v0.11.0+build", problem: []string{"write v0.2.0"}},
		{version: "", problem: []string{`"" is not a version`}},
	} {
		got, err := newPlan(t.Context(), repository, tc.version)
		wantError(t, err, tc.problem...)
		if err == nil && (got.last != tc.want.last || got.tagged != tc.want.tagged || got.version != tc.version || got.commit == "") {
			t.Errorf("%s: %+v, want %+v", tc.version, got, tc.want)
		}
	}

	writeFile(t, filepath.Join(repository.dir, "b"), "not committed")
	_, err := newPlan(t.Context(), repository, "v0.9.1")
	wantError(t, err, "1 files are not as committed (?? b)", "is not greater") // all problems at once
}

func TestReleaseNotes(t *testing.T) {
	const changelog = "# Changelog\n\nIntroduction.\n\n## Unreleased\n\n- Do this.\n- Do that.\n\n## v0.1.0, 2026-01-02\n\n- The first.\n"
	whole, notes, err := releaseNotes(changelog, "v0.2.0", "2026-03-04")
	wantError(t, err)
	if want := "# Changelog\n\nIntroduction.\n\n## Unreleased\n\n## v0.2.0, 2026-03-04\n\n- Do this.\n- Do that.\n\n## v0.1.0, 2026-01-02\n\n- The first.\n"; whole != want {
		t.Errorf("the changelog is\n%s\nwant\n%s", whole, want)
	}
	for version, want := range map[string]string{"v0.2.0": notes, "v0.1.0": "- The first.\n"} {
		if got, err := notesOf(whole, version); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", version, got, err, want)
		}
	}
	_, err = notesOf(whole, "v0.1.1")
	wantError(t, err, "no text for v0.1.1")
	_, _, err = releaseNotes(whole, "v0.3.0", "2026-05-06")
	wantError(t, err, `"## Unreleased" is empty`)
	_, _, err = releaseNotes("# Changelog\n", "v0.3.0", "2026-05-06")
	wantError(t, err, `no section "## Unreleased"`)
	if whole, _, err = releaseNotes("## Unreleased\n\n- First.\n", "v0.1.0", "2026-01-02"); err != nil || whole != "## Unreleased\n\n## v0.1.0, 2026-01-02\n\n- First.\n" {
		t.Errorf("the first section: %q, %v", whole, err)
	}
}
