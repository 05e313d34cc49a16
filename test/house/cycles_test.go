package house

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// maxCycle is how many files may refer to one another.
const maxCycle = 4

func TestFileCycles(t *testing.T) {
	for _, s := range sources(t) {
		r := s.references()
		for _, group := range r.cycles() {
			text := fmt.Sprintf("%s: %d files refer to one another: %s\n%s", s.path(), len(group), strings.Join(group, " "), r.explain(group))
			switch {
			case len(group) <= maxCycle:
				t.Log(text)
			default:
				t.Error(text)
			}
		}
	}
}

// explain lists what ties the files of a group together, the fewest identifiers first: those are
// the easiest to move.
func (r references) explain(group []string) string {
	type tie struct {
		text string
		n    int
	}
	var ties []tie
	for _, from := range group {
		for _, to := range slices.Sorted(maps.Keys(r[from])) {
			if slices.Contains(group, to) {
				names := r[from][to]
				ties = append(ties, tie{fmt.Sprintf("\t%s -> %s: %s\n", from, to, strings.Join(names, " ")), len(names)})
			}
		}
	}
	slices.SortStableFunc(ties, func(a, b tie) int { return a.n - b.n })
	var b strings.Builder
	for _, t := range ties {
		b.WriteString(t.text)
	}
	return b.String()
}

func TestCycles(t *testing.T) {
	r := references{
		"a": {"b": {"B"}}, "b": {"c": {"C"}}, "c": {"a": {"A"}, "d": {"D"}}, "d": {"e": {"E"}}, "e": {"d": {"D"}}, "f": {"a": {"A"}},
	}
	if got := fmt.Sprint(r.cycles()); got != "[[a b c] [d e]]" {
		t.Error(got)
	}
}
