package release

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// publish writes a module, as it is in a commit, into a folder in the form of a module proxy (see
// go help goproxy). A proxy that fetches the tag serves the same bytes.
func publish(ctx context.Context, repository program, m Module, revision, version, to string) (sums, error) {
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		return sums{}, err
	}
	base := filepath.Join(to, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(base, 0o755); err != nil { //nolint:gosec // public files
		return sums{}, err
	}
	goMod, err := repository.run(ctx, "git", "show", revision+":"+filepath.ToSlash(filepath.Join(m.Dir, "go.mod")))
	if err != nil {
		return sums{}, err
	}
	goMod += "\n"
	date, err := repository.run(ctx, "git", "show", "--no-patch", "--format=%cI", revision)
	if err != nil {
		return sums{}, err
	}
	info := fmt.Sprintf(`{"Version":%q,"Time":%q}`, version, date)
	for name, text := range map[string]string{"list": version + "\n", version + ".info": info, version + ".mod": goMod} {
		if err := write(filepath.Join(base, name), text); err != nil {
			return sums{}, err
		}
	}
	archive := filepath.Join(base, version+".zip")
	if err := pack(archive, repository.dir, m, revision, version); err != nil {
		return sums{}, fmt.Errorf("release: %s: %w", m.Path, err)
	}
	return sumsOf(archive, goMod)
}

func pack(archive, repository string, m Module, revision, version string) (err error) {
	file, err := os.Create(archive) //nolint:gosec // below the folder that the caller names
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return zip.CreateFromVCS(file, module.Version{Path: m.Path, Version: version}, repository, revision, strings.TrimPrefix(m.Dir, "."))
}

// sums are the checksums of a published module, as go.sum has them.
type sums struct{ zip, goMod string }

func sumsOf(archive, goMod string) (s sums, err error) {
	if s.zip, err = dirhash.HashZip(archive, dirhash.Hash1); err != nil {
		return sums{}, err
	}
	s.goMod, err = dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewBufferString(goMod)), nil
	})
	return s, err
}

// addSums adds the checksums of the modules that one requires to its go.sum. Without them the
// module could be required, but not be built from a clone.
func (m Module) addSums(root, version string, known map[string]sums) error {
	name := filepath.Join(root, m.Dir, "go.sum")
	data, err := os.ReadFile(name) //nolint:gosec // a file of the repository
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	hashes := map[module.Version]string{}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 && !ours(f[0]) {
			hashes[module.Version{Path: f[0], Version: f[1]}] = f[2]
		}
	}
	for _, path := range m.requires {
		hashes[module.Version{Path: path, Version: version}] = known[path].zip
		hashes[module.Version{Path: path, Version: version + "/go.mod"}] = known[path].goMod
	}
	var text strings.Builder
	for _, v := range sortedVersions(hashes) {
		fmt.Fprintf(&text, "%s %s %s\n", v.Path, v.Version, hashes[v])
	}
	return write(name, text.String())
}

func sortedVersions(hashes map[module.Version]string) (all []module.Version) {
	for v := range hashes {
		all = append(all, v)
	}
	module.Sort(all)
	return all
}
