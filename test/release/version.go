package release

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// A plan is what is released: a version, from the current commit, after the last version.
type plan struct {
	version, commit string
	last            string // empty for the first release
	tagged          bool   // the current commit is the release already
}

// newPlan names everything that keeps a version from being released from the current commit.
func newPlan(ctx context.Context, repository program, version string) (plan, error) {
	if semver.Canonical(version) != version || module.Check(path, version) != nil {
		return plan{}, fmt.Errorf("release: version: %q is not a version of %s: write v0.2.0 or v0.2.0-rc.1", version, path)
	}
	p := plan{version: version}
	var err error
	if p.commit, err = repository.run(ctx, "git", "rev-parse", "HEAD"); err != nil {
		return plan{}, err
	}
	tags, err := versions(ctx, repository)
	if err != nil {
		return plan{}, err
	}
	var problems []error
	for _, tag := range tags { // in ascending order
		switch order := semver.Compare(tag, version); {
		case order < 0:
			p.last = tag
		case order == 0:
			at, err := repository.run(ctx, "git", "rev-parse", tag+"^{commit}")
			if err != nil {
				return plan{}, err
			}
			if p.tagged = at == p.commit; !p.tagged {
				problems = append(problems, fmt.Errorf("release: version: %s is released already, from %s: choose a greater version", tag, at))
			}
		}
	}
	if greatest := len(tags) - 1; greatest >= 0 && !p.tagged && semver.Compare(tags[greatest], version) > 0 {
		problems = append(problems, fmt.Errorf("release: version: %s is not greater than the last version, %s: choose a greater version", version, tags[greatest]))
	}
	changed, err := repository.lines(ctx, "git", "status", "--porcelain")
	if err != nil {
		return plan{}, err
	}
	if len(changed) > 0 {
		problems = append(problems, fmt.Errorf("release: tree: %d files are not as committed (%s): commit or remove them", len(changed), strings.TrimSpace(changed[0])))
	}
	return p, errors.Join(problems...)
}

// versions are the tags of the root module in ascending order. They are on commits of their own, so
// "git describe" does not find them.
func versions(ctx context.Context, repository program) ([]string, error) {
	tags, err := repository.lines(ctx, "git", "tag", "--list", "v*")
	if err != nil {
		return nil, err
	}
	var valid []string
	for _, tag := range tags {
		if semver.Canonical(tag) == tag {
			valid = append(valid, tag)
		}
	}
	semver.Sort(valid)
	return valid, nil
}

// tag is how git knows a version of a module.
func (m Module) tag(version string) string {
	if m.Dir == "." {
		return version
	}
	return m.Dir + "/" + version
}
