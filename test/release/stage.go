package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A stage is a clone of the repository whose commit has the form of a release, and its tags.
type stage struct {
	plan

	clone   program
	modules []Module        // those that are published, each after those that it requires
	sums    map[string]sums // by the path of the module
	notes   string          // the section of the changelog
}

// newStage makes the commit of a release and its tags in a clone, and publishes its modules to a
// folder. The repository stays unchanged.
func newStage(ctx context.Context, repository program, p plan, date, home, proxy string) (*stage, error) {
	s := &stage{plan: p, clone: program{dir: filepath.Join(home, "clone")}, sums: map[string]sums{}}
	if _, err := repository.run(ctx, "git", "clone", "--quiet", "--no-checkout", repository.dir, s.clone.dir); err != nil {
		return nil, err
	}
	if _, err := s.clone.run(ctx, "git", "checkout", "--quiet", "--detach", p.commit); err != nil {
		return nil, err
	}
	s.clone.env = identity(ctx, repository)
	if err := s.rewrite(ctx, date); err != nil {
		return nil, err
	}
	for _, m := range s.modules {
		if len(m.requires) > 0 {
			if err := m.addSums(s.clone.dir, p.version, s.sums); err != nil {
				return nil, err
			}
		}
		if err := s.commitChanges(ctx); err != nil {
			return nil, err
		}
		sums, err := publish(ctx, s.clone, m, "HEAD", p.version, proxy)
		if err != nil {
			return nil, err
		}
		s.sums[m.Path] = sums
	}
	return s, s.makeTags(ctx)
}

// identity is who makes commits and tags in the repository, for git in a clone of it.
func identity(ctx context.Context, repository program) (env []string) {
	for key, variable := range map[string]string{"user.name": "NAME", "user.email": "EMAIL"} {
		value, err := repository.run(ctx, "git", "config", "--get", key)
		if err != nil {
			value = "release" // a dry run needs none, and a tag that a maintainer makes is in a repository that has one
		}
		env = append(env, "GIT_AUTHOR_"+variable+"="+value, "GIT_COMMITTER_"+variable+"="+value)
	}
	return env
}

// rewrite gives the files of the clone the form of a release, except for the checksums of modules.
func (s *stage) rewrite(ctx context.Context, date string) error {
	all, err := modulesOf(ctx, s.clone)
	if err != nil {
		return err
	}
	for _, m := range all {
		if err := m.rewrite(s.clone.dir, s.version); err != nil {
			return err
		}
		if m.isPublished() {
			s.modules = append(s.modules, m)
		}
	}
	if err := rewriteVersion(s.clone.dir, s.version); err != nil {
		return err
	}
	name := filepath.Join(s.clone.dir, changelogFile)
	changelog, err := os.ReadFile(name) //nolint:gosec // a file of the repository
	if err != nil {
		return err
	}
	if s.tagged {
		s.notes, err = notesOf(string(changelog), s.version)
		return err
	}
	whole, notes, err := releaseNotes(string(changelog), s.version, date)
	if err != nil {
		return err
	}
	s.notes = notes
	return write(name, whole)
}

// commitChanges puts what has changed in the clone into the commit of the release.
func (s *stage) commitChanges(ctx context.Context) error {
	changed, err := s.clone.lines(ctx, "git", "status", "--porcelain")
	if err != nil || len(changed) == 0 {
		return err
	}
	if s.tagged {
		return fmt.Errorf("release: %s: its commit is not a release of itself (%s): it was tagged by hand; choose a greater version", s.version, strings.Join(changed, ", "))
	}
	head, err := s.clone.run(ctx, "git", "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	if _, err := s.clone.run(ctx, "git", "add", "--all"); err != nil {
		return err
	}
	args := []string{"commit", "--quiet", "--message", "Release " + s.version}
	if head != s.commit {
		args = append(args, "--amend")
	}
	_, err = s.clone.run(ctx, "git", args...)
	return err
}

// makeTags tags the commit in the clone, or looks whether the commit has all tags.
func (s *stage) makeTags(ctx context.Context) error {
	var problems []error
	for _, tag := range s.tags() {
		var err error
		if !s.tagged {
			_, err = s.clone.run(ctx, "git", "tag", "--annotate", "--message", path+" "+s.version, tag)
		} else if at, _ := s.clone.run(ctx, "git", "rev-parse", "--verify", "--quiet", "refs/tags/"+tag+"^{commit}"); at != s.commit {
			err = fmt.Errorf("release: %s: the tag is not at %s as %s is: push it, or choose a greater version", tag, s.commit, s.version)
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// tags are those of the release, the one of the root module last.
func (s *stage) tags() (all []string) {
	for _, m := range s.modules {
		if m.Dir != "." {
			all = append(all, m.tag(s.version))
		}
	}
	return append(all, s.version)
}

// fetchTags copies the tags to the repository.
func (s *stage) fetchTags(ctx context.Context, repository program) error {
	args := []string{"fetch", "--quiet", "--atomic", "--no-tags", s.clone.dir}
	for _, tag := range s.tags() {
		args = append(args, "refs/tags/"+tag+":refs/tags/"+tag)
	}
	_, err := repository.run(ctx, "git", args...)
	return err
}
