package release

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// Publish writes modules into a folder in the form of a module proxy (see go help goproxy).
func Publish(modules []Module, to, version string) error {
	for _, m := range modules {
		escaped, err := module.EscapePath(m.Path)
		if err != nil {
			return err
		}
		base := filepath.Join(to, escaped, "@v")
		if err := os.MkdirAll(base, 0o755); err != nil { //nolint:gosec // public files
			return err
		}
		goMod, err := os.ReadFile(filepath.Join(m.Dir, "go.mod"))
		if err != nil {
			return err
		}
		info := fmt.Sprintf(`{"Version":%q,"Time":%q}`, version, time.Now().UTC().Format(time.RFC3339))
		for name, data := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": []byte(info), version + ".mod": goMod} {
			if err := os.WriteFile(filepath.Join(base, name), data, 0o644); err != nil { //nolint:gosec // public files
				return err
			}
		}
		if err := pack(m, filepath.Join(base, version+".zip"), version); err != nil {
			return fmt.Errorf("%s: %w", m.Path, err)
		}
	}
	return nil
}

func pack(m Module, to, version string) error {
	file, err := os.Create(to) //nolint:gosec // below the folder that the caller names
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if err := zip.CreateFromDir(file, module.Version{Path: m.Path, Version: version}, m.Dir); err != nil {
		return err
	}
	return file.Close()
}
