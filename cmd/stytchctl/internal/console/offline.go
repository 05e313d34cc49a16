package console

import (
	"bytes"
	"fmt"
	"html/template"
	"os"
	"path/filepath"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/console/reference"
)

// WriteReference writes the API reference into a folder, as files that a browser opens without a
// server.
func WriteReference(folder string) error {
	contract, err := reference.Load()
	if err != nil {
		return fmt.Errorf("console: write the reference: %w", err)
	}
	view, err := template.New("static.html").Funcs(functions).ParseFS(templateFiles, "templates/static.html", "templates/parts.html", "templates/referencebody.html")
	if err != nil {
		return fmt.Errorf("console: write the reference: %w", err)
	}
	var index bytes.Buffer
	if err := view.Execute(&index, contract); err != nil {
		return fmt.Errorf("console: write the reference: %w", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // for everybody to read
		return fmt.Errorf("console: write the reference: %w", err)
	}
	files := map[string][]byte{"index.html": index.Bytes()}
	for _, name := range []string{"console.css", "favicon.svg"} {
		if files[name], err = assetFiles.ReadFile("assets/" + name); err != nil {
			return fmt.Errorf("console: write the reference: %w", err)
		}
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil { //nolint:gosec // as above
			return fmt.Errorf("console: write the reference: %w", err)
		}
	}
	return nil
}
