package credentials

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"
)

// MaxFile is how many bytes a file may have.
const MaxFile = 16 << 10

// Read returns the credentials at path: those of a file with a JSON object or lines, or of a folder
// with a file for each value. It does not check that they are complete.
func Read(path string) (Credentials, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Credentials{}, err
	}
	if info.IsDir() {
		return readFolder(path)
	}
	data, err := readFile(path)
	if err != nil {
		return Credentials{}, err
	}
	c, err := parseFile(data)
	if err != nil {
		return Credentials{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// readFile reads a small file that not everyone may write to.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path) // before opening, which blocks if the file is a pipe
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case writableByAll(info.Mode(), unixModes):
		return nil, fmt.Errorf("%s may be written to by everyone: set its mode to 0600", path)
	}
	opened, err := os.Open(path) //nolint:gosec // the caller's file
	if err != nil {
		return nil, err
	}
	defer func() { _ = opened.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(opened, MaxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, MaxFile)
	}
	return data, nil
}

// writableByAll reports whether a mode lets every user change the file. Where modes are not those
// of Unix, they say nothing about other users: Windows reports 0666 for each file that is not
// read-only.
func writableByAll(mode fs.FileMode, unixModes bool) bool { return unixModes && mode.Perm()&0o002 != 0 }

var (
	errForm = errors.New("must be a JSON object, or lines with the client id, its secret and, during a rotation, the previous secret")
	errCut  = errors.New("the last line does not end with a line feed, so it may be half written: end it with one")
)

// parseFile never quotes what it reads.
func parseFile(data []byte) (Credentials, error) {
	data = bytes.TrimPrefix(data, []byte(bom))
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		o, err := Parse(data)
		if err != nil {
			return Credentials{}, err
		}
		return o.Credentials()
	}
	return parseLines(string(data))
}

// parseLines reads two or three lines. The last one must be ended, because the first half of a
// secret looks like a secret.
func parseLines(data string) (Credentials, error) {
	if !utf8.ValidString(data) {
		return Credentials{}, errEncoding
	}
	lines := strings.Split(strings.TrimRight(data, "\r\n\t "), "\n")
	switch {
	case len(lines) < 2 || len(lines) > 3:
		return Credentials{}, errForm
	case !strings.HasSuffix(data, "\n"):
		return Credentials{}, errCut
	}
	var texts [4]string
	for i, line := range lines {
		var err error
		if texts[i], err = Text(names[i], strings.Trim(line, "\r\t ")); err != nil {
			return Credentials{}, err
		}
	}
	return assemble(names, texts)
}
