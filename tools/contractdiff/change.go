package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/internal/contractdiff"
)

// A change is one difference, and what else is known of it.
type change struct {
	contractdiff.Change
	Oasdiff  []string `json:"oasdiff,omitempty"`  // the checks of oasdiff that call it a break, too
	Go       []string `json:"go,omitempty"`       // the names in Go that it breaks
	Accepted string   `json:"accepted,omitempty"` // why it may break callers
}

func (c change) isBreak() bool { return c.Kind == contractdiff.Break }

// A finding is a break that another judge than internal/contractdiff found.
type finding interface {
	source() (judge, id string)
	confirms(c contractdiff.Change) bool // it is about the same part of the contract
	change() contractdiff.Change         // the finding alone
}

// merge notes each finding at the breaks that it confirms. One that confirms none is a break of its
// own.
func merge(changes []change, findings []finding) []change {
	n := len(changes)
	for _, f := range findings {
		judge, id := f.source()
		confirmed := false
		for i := range changes[:n] {
			c := &changes[i]
			if !c.isBreak() || !f.confirms(c.Change) {
				continue
			}
			confirmed = true
			ids := &c.Oasdiff
			if judge == "go" {
				ids = &c.Go
			}
			if !slices.Contains(*ids, id) {
				*ids = append(*ids, id)
			}
		}
		if !confirmed {
			changes = append(changes, change{Change: f.change()})
		}
	}
	return changes
}

// what says in a few words what changed.
func (c change) what() string {
	switch c.Change.Change {
	case "added":
		return "added " + clip(c.New)
	case "removed":
		return "removed " + clip(c.Old)
	}
	if c.Old == "" && c.New == "" {
		return "changed"
	}
	old, next := fromDifference(oneLine(c.Old), oneLine(c.New))
	return fmt.Sprintf("%s became %s", clip(old), clip(next))
}

// fromDifference cuts two texts so that they begin shortly before they differ.
func fromDifference(old, next string) (string, string) {
	a, b := []rune(old), []rune(next)
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	const before = 12
	if same <= 2*before {
		return old, next
	}
	return "…" + string(a[same-before:]), "…" + string(b[same-before:])
}

func clip(text string) string {
	text = oneLine(text)
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:59]) + "…"
	}
	if text == "" {
		return `""`
	}
	return text
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
