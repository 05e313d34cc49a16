package credentials

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// newest is the link by which Kubernetes replaces all files of a volume at once: it leads to a
// folder that never changes.
const newest = "..data"

// moves limits how often a folder is read because it was replaced meanwhile.
const moves = 10

// readFolder reads a folder with a file for each value, such as a mounted Secret of Kubernetes. All
// values are from one version of it.
func readFolder(path string) (Credentials, error) {
	for range moves {
		dir, versioned, err := locate(path)
		if err != nil {
			return Credentials{}, err
		}
		c, err := readValues(dir, versioned)
		if now, _, moved := locate(path); moved == nil && now == dir {
			return c, err
		}
	}
	return Credentials{}, fmt.Errorf("%s was replaced %d times while it was read", path, moves)
}

// locate is the folder that path leads to now. versioned means that its files are never changed.
func locate(path string) (dir string, versioned bool, err error) {
	if dir, err = filepath.EvalSymlinks(path); err != nil {
		return "", false, err
	}
	inner, err := filepath.EvalSymlinks(filepath.Join(dir, newest))
	if err == nil {
		return inner, true, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	// A folder below the link, as the "items" of a volume make it.
	return dir, strings.Contains("/"+filepath.ToSlash(dir), "/..2"), nil
}

func readValues(dir string, versioned bool) (Credentials, error) {
	var texts [4]string
	for i, name := range names {
		path := filepath.Join(dir, name)
		data, err := readFile(path)
		if i >= required && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			return Credentials{}, fmt.Errorf("folder has no file %s: %w", name, err)
		}
		if err != nil {
			return Credentials{}, err
		}
		text := string(data)
		if !versioned && !strings.HasSuffix(text, "\n") {
			return Credentials{}, fmt.Errorf("%s: %w", path, errCut)
		}
		if texts[i], err = Text(name, strings.TrimRight(text, "\r\n")); err != nil {
			return Credentials{}, fmt.Errorf("%s: %w", path, err)
		}
	}
	c, err := assemble(names, texts)
	if err != nil {
		return Credentials{}, fmt.Errorf("%s: %w", dir, err)
	}
	return c, nil
}
