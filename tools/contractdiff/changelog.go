package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/contractdiff"
)

var versionName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.-]*$`)

// writeChangelog writes the section of a version in the changelog, or writes it again.
func (t tree) writeChangelog(version string, r result) error {
	if !versionName.MatchString(version) {
		return fmt.Errorf("%q is no name of a version: use letters, digits, dots and hyphens", version)
	}
	name := filepath.Join(t.root, changelogFile)
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, replaceSection(text, version, section(version, r)), 0o644)
}

// replaceSection puts a section in the place of the one of the same version, or before all others.
func replaceSection(text []byte, version string, section []byte) []byte {
	var head, before, after []byte
	into := &head
	for line := range bytes.Lines(text) {
		if heading, ok := bytes.CutPrefix(line, []byte("## ")); ok {
			switch {
			case string(bytes.TrimSpace(heading)) == version:
				into = nil
			case into == nil || into == &after:
				into = &after
			default:
				into = &before
			}
		}
		if into != nil {
			*into = append(*into, line...)
		}
	}
	if into == &before { // the version is new
		before, after = nil, before
	}
	out := bytes.TrimRight(head, "\n")
	for _, part := range [][]byte{before, section, after} {
		if part = bytes.TrimRight(part, "\n"); len(part) > 0 {
			out = append(append(out, "\n\n"...), part...)
		}
	}
	return append(out, '\n')
}

// section says what changed to those who call the API in any language.
func section(version string, r result) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "## %s\n", version)
	if r.Base == none {
		b.WriteString("\nThe first version.\n")
	} else {
		fmt.Fprintf(&b, "\nSince %s.\n", r.Base)
	}
	for _, part := range []struct {
		kind  contractdiff.Kind
		title string
	}{{contractdiff.Break, "Breaks"}, {contractdiff.Addition, "Additions"}, {contractdiff.Documentation, "Documentation"}} {
		lines := bullets(part.kind, r.Changes)
		if len(lines) > 0 {
			fmt.Fprintf(&b, "\n### %s\n\n%s\n", part.title, strings.Join(lines, "\n"))
		}
	}
	if len(r.Changes) == 0 {
		b.WriteString("\nNothing changed.\n")
	}
	return b.Bytes()
}

// most is how many changes of one rule get a line each.
const most = 8

// bullets are the lines of one kind: one for each break, and one for many other changes by a rule.
func bullets(kind contractdiff.Kind, changes []change) (lines []string) {
	var order []string
	byRule := map[string][]change{}
	for _, c := range changes {
		if c.Kind != kind {
			continue
		}
		if byRule[c.Rule] == nil {
			order = append(order, c.Rule)
		}
		byRule[c.Rule] = append(byRule[c.Rule], c)
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	for _, rule := range order {
		group := byRule[rule]
		if kind != contractdiff.Break && rule != "operation" && len(group) > most {
			lines = append(lines, summary(rule, group))
			continue
		}
		for _, c := range group {
			lines = append(lines, bullet(c))
		}
	}
	return lines
}

func bullet(c change) string {
	if path, isOperation := strings.CutPrefix(c.Path, "paths "); isOperation && c.Rule == "operation" {
		where, method, _ := strings.Cut(path, " ")
		return fmt.Sprintf("- `%s %s`, `%s`: %s", strings.ToUpper(method), where, strings.Join(c.Operations, ", "), c.Change.Change)
	}
	line := fmt.Sprintf("- `%s`: %s", c.Path, c.what())
	if c.isBreak() {
		line += "; " + c.Why
	}
	if c.Accepted != "" {
		line += ". " + oneLine(c.Accepted)
	}
	return line
}

// rank puts operations first.
func rank(rule string) int {
	if rule == "operation" {
		return 0
	}
	return 1
}

// nouns are what rules are about, in the plural.
var nouns = map[string]string{
	"name": "schemas and other components", "error-types": "error types", "known-values": "known values", "text": "texts", "property": "fields",
	"example": "examples", "certainty": "marks of certainty", "limit": "limits", "response": "responses", "parameter": "parameters",
}

// summary names what many changes of one rule are about, or counts it.
func summary(rule string, group []change) string {
	var names []string
	for _, c := range group {
		elements := strings.Split(c.Path, " ")
		if name := "`" + elements[len(elements)-1] + "`"; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	line := fmt.Sprintf("- %d %s", len(group), cmp.Or(nouns[rule], "changes by the rule "+rule))
	if rule == "text" || len(names) > 40 {
		return line
	}
	return line + ": " + strings.Join(names, ", ")
}
