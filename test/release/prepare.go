package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options say what Prepare makes.
type Options struct {
	Repository string   // a clone whose current commit is released
	Version    string   // such as v0.2.0
	Dist       string   // the folder that gets the files; what an earlier call put there is removed
	Platforms  []string // for which the command is built
	BOMTool    string   // the program cyclonedx-gomod; without it there are no bills of materials
	APITool    string   // the program apidiff; without it there is no comparison with the last version
	Tag        bool     // also make the tags in the repository
	Log        io.Writer
}

// Prepare makes a release, and changes nothing but the folder Dist and, if Tag is set, the tags of
// the repository: it pushes nothing. If the current commit has the tag of the version already, it
// checks that the commit is what a release makes, and writes the same files.
func Prepare(ctx context.Context, o Options) (err error) {
	repository := program{dir: o.Repository}
	p, planErr := newPlan(ctx, repository, o.Version)
	if o.Tag && p.tagged {
		planErr = errors.Join(planErr, fmt.Errorf("release: %s: it has its tag: push it, or choose a greater version", o.Version))
	}
	if o.Tag {
		_, err := repository.run(ctx, "git", "var", "GIT_COMMITTER_IDENT") // git refuses a commit by no one
		planErr = errors.Join(planErr, err)
	}
	if planErr != nil {
		return planErr
	}
	if err := emptyDist(o.Dist); err != nil {
		return err
	}
	home, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()

	proxy := filepath.Join(o.Dist, "modules")
	s, err := newStage(ctx, repository, p, time.Now().UTC().Format(time.DateOnly), home, proxy)
	if err != nil {
		return err
	}
	if err := s.fill(ctx, o, home, proxy); err != nil {
		return err
	}
	if o.Tag {
		if err := s.fetchTags(ctx, repository); err != nil {
			return err
		}
	}
	_, err = io.WriteString(o.Log, s.next(o.Tag))
	return err
}

// fill writes the files of the release into dist, and says what each is.
func (s *stage) fill(ctx context.Context, o Options, home, proxy string) error {
	say := func(what, format string, args ...any) {
		fmt.Fprintf(o.Log, "%-12s %s\n", what, fmt.Sprintf(format, args...)) //nolint:errcheck // a message for people
	}
	since := "the first release"
	if s.last != "" {
		since = "after " + s.last
	}
	say("version", "%s, %s, from commit %.12s", s.version, since, s.commit)
	var users []program
	for _, name := range []string{"first", "second"} {
		dir := filepath.Join(home, name)
		if err := os.Mkdir(dir, 0o750); err != nil {
			return err
		}
		user, err := goUser(ctx, dir, proxy)
		if err != nil {
			return err
		}
		users = append(users, user)
	}
	if err := s.checkResolution(ctx, users[0]); err != nil {
		return err
	}
	say("modules", "%d, none replaced; each resolves to its checksum from dist/modules and builds from its tag", len(s.modules))

	source := program{dir: o.Repository}
	if s.tagged {
		source.env = users[0].env // its modules do not replace one another
	}
	dependencies, err := dependenciesOf(ctx, source)
	if err != nil {
		return err
	}
	shipped := slices.DeleteFunc(slices.Clone(dependencies), func(d Dependency) bool { return !d.Shipped })
	say("licenses", "%d modules of others, %d of them in what is published, all allowed", len(dependencies), len(shipped))

	binaries, err := s.buildBinaries(ctx, users[0], users[1], o.Platforms, o.Dist)
	if err != nil {
		return err
	}
	if len(binaries) > 0 {
		say("binaries", "%d, each built twice with the same SHA-256", len(binaries))
	}

	if o.BOMTool != "" {
		components, err := s.writeBOMs(ctx, users[0], o.BOMTool, o.Dist, binaries)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(components)) {
			say("components", "%d in %s.cdx.json", components[name], name)
		}
	}
	files := map[string]string{"NOTES.md": s.notes, "THIRD_PARTY_LICENSES": thirdPartyText(dependencies)}
	if o.APITool != "" {
		if files["API_CHANGES"], err = apiChanges(ctx, source, s.last, o.APITool); err != nil {
			return err
		}
		say("api", "%s", strings.SplitN(files["API_CHANGES"], "\n", 2)[0])
	}
	if _, err := source.in("test").run(ctx, "go", "run", "./contractassets", "../api", o.Dist); err != nil {
		return err
	}
	for _, name := range []string{changelogFile, "LICENSE"} {
		data, err := os.ReadFile(filepath.Join(s.clone.dir, name)) //nolint:gosec // a file of the repository
		if err != nil {
			return err
		}
		files[name] = string(data)
	}
	for name, text := range files {
		if err := write(filepath.Join(o.Dist, name), text); err != nil {
			return err
		}
	}
	return writeSums(o.Dist)
}

// next is what a maintainer does then.
func (s *stage) next(tagged bool) string {
	tags := s.tags()
	var b strings.Builder
	switch {
	case s.tagged:
		fmt.Fprintf(&b, "\nThe tags of %s are at this commit, which is what a release makes.\n", s.version)
	case !tagged:
		fmt.Fprintf(&b, "\nNothing has changed in git. Read dist/NOTES.md and dist/API_CHANGES. To make these tags, none of which is pushed:\n\n")
		for _, tag := range tags {
			fmt.Fprintf(&b, "    %s\n", tag)
		}
		fmt.Fprintf(&b, "\n    make release VERSION=%s RELEASE=tag\n", s.version)
	default:
		last := len(tags) - 1
		fmt.Fprintf(&b, "\nThe tags are made. To publish them, those of the nested modules first, because the last one starts the release workflow:\n\n")
		fmt.Fprintf(&b, "    git push --atomic origin %s\n    git push origin %s\n", strings.Join(tags[:last], " "), tags[last])
		fmt.Fprintf(&b, "\nTo take the new section of the changelog and the version to this branch:\n\n    git checkout %s -- %s %s\n", s.version, changelogFile, versionFile)
		fmt.Fprintf(&b, "\nTo take all of it back before a push:\n\n    git tag --delete %s\n", strings.Join(tags, " "))
	}
	return b.String()
}

// emptyDist makes a folder, or empties one that an earlier release has filled.
func emptyDist(dist string) error {
	entries, err := os.ReadDir(dist)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dist, "modules")); err != nil {
			return fmt.Errorf("release: %s: it holds files that are not of a release: name another folder: %w", dist, err)
		}
		if err := os.RemoveAll(dist); err != nil {
			return err
		}
	}
	return os.MkdirAll(filepath.Join(dist, "modules"), 0o755) //nolint:gosec // public files
}
