// Command contractassets writes the contract as a release publishes it: the YAML files of api/, the
// OpenAPI document as one JSON file, and the checksums of all of them in the format of sha256sum.
// The same contract gives the same bytes.
package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// checksums lists the other files; `sha256sum -c contract.sha256` checks them.
const checksums = "contract.sha256"

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: contractassets API_FOLDER FOLDER")
		os.Exit(2)
	}
	names, err := write(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, name := range names {
		fmt.Println(filepath.Join(os.Args[2], name))
	}
}

// write returns the names of the files that it wrote.
func write(from, to string) ([]string, error) {
	files, err := assets(from)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(to, 0o755); err != nil { //nolint:gosec // public files
		return nil, fmt.Errorf("contractassets: make the folder: %w", err)
	}
	var names []string
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(to, f.name), f.data, 0o644); err != nil { //nolint:gosec // public files
			return nil, fmt.Errorf("contractassets: write %s: %w", f.name, err)
		}
		names = append(names, f.name)
	}
	return names, nil
}

type asset struct {
	name string
	data []byte
}

func assets(from string) ([]asset, error) {
	openAPI, err := os.ReadFile(filepath.Join(from, "openapi.yaml")) //nolint:gosec // a file of the repository
	if err != nil {
		return nil, fmt.Errorf("contractassets: read the contract: %w", err)
	}
	asJSON, err := toJSON(openAPI)
	if err != nil {
		return nil, fmt.Errorf("contractassets: openapi.yaml: %w", err)
	}
	files := []asset{{"openapi.yaml", openAPI}, {"openapi.json", asJSON}}
	flows, err := filepath.Glob(filepath.Join(from, "*.arazzo.yaml"))
	if err != nil {
		return nil, fmt.Errorf("contractassets: find the workflows: %w", err)
	}
	slices.Sort(flows)
	for _, flow := range flows {
		data, err := os.ReadFile(flow) //nolint:gosec // a file of the repository
		if err != nil {
			return nil, fmt.Errorf("contractassets: read a workflow: %w", err)
		}
		files = append(files, asset{filepath.Base(flow), data})
	}
	var sums bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(f.data), f.name)
	}
	return append(files, asset{checksums, sums.Bytes()}), nil
}
