package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stytchkit/m2m/internal/atomicfile"
)

// WriteFile replaces a file that holds no secret: a crash leaves the old or the new content. Where
// package atomicfile does not work, the file is replaced by renaming, which is all that Windows
// offers.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	err := atomicfile.Write(path, data, mode)
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".stytchctl-*.tmp")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
