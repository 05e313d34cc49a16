package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// acceptedBreaks is the file of the breaks that were accepted since the last release.
type acceptedBreaks struct {
	Base     string          `yaml:"base"` // what callers rely on until the first release
	Accepted []acceptedBreak `yaml:"accepted"`
}

type acceptedBreak struct {
	Rule   string `yaml:"rule"`
	Path   string `yaml:"path"`
	Reason string `yaml:"reason"`
}

// readAccepted reads the file. None is an empty one.
func readAccepted(name string) (a acceptedBreaks, err error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	if err := a.parse(text); err != nil {
		return a, fmt.Errorf("%s: %w", acceptedFile, err)
	}
	return a, nil
}

func (a *acceptedBreaks) parse(text []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(a); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	seen := map[acceptedBreak]bool{}
	for i, entry := range a.Accepted {
		for _, field := range []struct{ name, value string }{{"rule", entry.Rule}, {"path", entry.Path}, {"reason", entry.Reason}} {
			if strings.TrimSpace(field.value) == "" {
				return fmt.Errorf("entry %d (%s %s) has no %s: add it, as rule and path are printed and with why callers can live with it", i+1, entry.Rule, entry.Path, field.name)
			}
		}
		entry.Reason = ""
		if seen[entry] {
			return fmt.Errorf("entry %d (%s %s) is there twice: remove one", i+1, entry.Rule, entry.Path)
		}
		seen[entry] = true
	}
	return nil
}

// apply marks what is accepted. An entry that matches no break is an error: it would accept a later
// one that was never reviewed.
func (a acceptedBreaks) apply(changes []change) error {
	for i, entry := range a.Accepted {
		used := false
		for j := range changes {
			if c := &changes[j]; c.isBreak() && c.Rule == entry.Rule && c.Path == entry.Path {
				c.Accepted, used = strings.TrimSpace(entry.Reason), true
			}
		}
		if !used {
			return fmt.Errorf("%s: entry %d (%s %s) matches no break: remove it, or correct its rule and path", acceptedFile, i+1, entry.Rule, entry.Path)
		}
	}
	return nil
}
