package release

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// bom is what this package reads of a software bill of materials in CycloneDX JSON.
type bom struct {
	BOMFormat   string
	SpecVersion string
	Metadata    struct{ Component component }
	Components  []component
}

type component struct{ Name, Version, PURL string }

// writeBOMs makes a bill of materials of the SDK and of each binary with cyclonedx-gomod, and
// returns how many components each file has.
func (s *stage) writeBOMs(ctx context.Context, user program, tool, dist string, binaries []string) (components map[string]int, err error) {
	components = map[string]int{}
	root := program{s.clone.dir, user.env}
	compiled, err := root.lines(ctx, "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}@{{.Version}}{{end}}{{end}}", "./stytch/...", "./gen/...")
	if err != nil {
		return nil, err
	}
	name := "m2m_" + strings.TrimPrefix(s.version, "v")
	if components[name], err = s.writeBOM(ctx, root, filepath.Join(dist, name), compiled, tool, "mod", "-type", "library"); err != nil {
		return nil, err
	}
	for _, name := range binaries {
		file := filepath.Join(dist, name)
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var compiled []string
		for _, dependency := range info.Deps {
			compiled = append(compiled, dependency.Path+"@"+dependency.Version)
		}
		if components[name], err = s.writeBOM(ctx, root, file, compiled, tool, "bin", file); err != nil {
			return nil, err
		}
	}
	return components, nil
}

// writeBOM writes a file beside what it is about, and holds it against what is compiled.
func (s *stage) writeBOM(ctx context.Context, root program, about string, compiled []string, tool, kind string, args ...string) (int, error) {
	file := about + ".cdx.json"
	if _, err := root.run(ctx, tool, append([]string{kind, "-json", "-noserial", "-notimestamp", "-output", file}, args...)...); err != nil {
		return 0, err
	}
	data, err := os.ReadFile(file) //nolint:gosec // just written
	if err != nil {
		return 0, err
	}
	components, err := checkBOM(data, s.version, compiled)
	if err != nil {
		return 0, fmt.Errorf("release: %s: %w", filepath.Base(file), err)
	}
	return components, nil
}

// checkBOM counts the components of a bill of materials. It names each module that is compiled and
// missing, and whatever the bill does not identify.
func checkBOM(data []byte, version string, compiled []string) (int, error) {
	var b bom
	if err := json.Unmarshal(data, &b); err != nil {
		return 0, err
	}
	if b.BOMFormat != "CycloneDX" || b.SpecVersion == "" {
		return 0, fmt.Errorf("its format is %q %q, want CycloneDX", b.BOMFormat, b.SpecVersion)
	}
	if b.Metadata.Component.Version != version {
		return 0, fmt.Errorf("it is about %s %q, want %s", b.Metadata.Component.Name, b.Metadata.Component.Version, version)
	}
	listed := map[string]bool{}
	for _, c := range b.Components {
		if id := c.Name + "@" + c.Version; c.Version == "" || !strings.HasPrefix(c.PURL, "pkg:golang/"+id) || listed[id] {
			return 0, fmt.Errorf("the component %q with the package URL %q is not identified, or is listed twice", id, c.PURL)
		} else {
			listed[id] = true
		}
	}
	if len(compiled) == 0 {
		return 0, fmt.Errorf("nothing is known about what is compiled")
	}
	for _, id := range compiled {
		if !listed[id] {
			return 0, fmt.Errorf("%s is compiled, and is not listed", id)
		}
	}
	return len(listed), nil
}
