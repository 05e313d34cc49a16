// Package vectors reads the test vectors. Five files were written for this project and are part of
// it; the public suites (Wycheproof, the JOSE cookbook, JSONTestSuite, the list of naughty strings)
// are read from ../shared/vectors beside the module, and a test that needs one is skipped where
// they are absent.
package vectors

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

//go:embed testdata
var own embed.FS

// Read decodes one of the project's own files, such as "tokens.json", into dst.
func Read(tb testing.TB, name string, dst any) {
	tb.Helper()
	data, err := own.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(data, dst); err != nil {
		tb.Fatal(err)
	}
}

// Public returns a file of a public suite, or skips the test.
func Public(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(dir(), filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		tb.Skip("the public test vectors (../shared/vectors beside the module) are not here")
	}
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// PublicFiles returns the paths of the files of a public suite that match a pattern of path.Match,
// or skips the test.
func PublicFiles(tb testing.TB, pattern string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(dir(), filepath.FromSlash(pattern)))
	if err != nil {
		tb.Fatal(err)
	}
	if len(files) == 0 {
		tb.Skip("the public test vectors (../shared/vectors beside the module) are not here")
	}
	return files
}

// dir is beside the root of this repository, however deep the test's own package is.
func dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "vectors")
}
