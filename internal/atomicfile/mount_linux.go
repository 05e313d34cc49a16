package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// CheckReplaceable returns an error if the file at path is known to be a mount point, such as a
// bind-mounted file: then [Write] fails. A missing file is no error.
func CheckReplaceable(path string) error {
	file, err := mountOf(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	folder, err := mountOf(filepath.Dir(path))
	if err != nil {
		return err
	}
	if file != folder {
		return mountPoint(path, syscall.EBUSY)
	}
	return nil
}

// mountOf is the number of the mount that the file or folder at path is on; "" if the kernel does
// not report it.
func mountOf(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // the caller's file
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", f.Fd())) //nolint:gosec // of the kernel
	if err != nil {
		return "", nil //nolint:nilerr // without /proc, writing finds out
	}
	_, after, _ := strings.Cut(string(info), "mnt_id:")
	number, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(number), nil
}
