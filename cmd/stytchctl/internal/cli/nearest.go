package cli

import (
	"fmt"
	"strings"
)

// Nearest is a hint for a name that is not known: `: did you mean "x"?`, or "." if no known name is
// near.
func Nearest(name string, known []string) string {
	best, distance := "", len(name)/2+1
	for _, candidate := range known {
		if d := edits(strings.ToLower(name), strings.ToLower(candidate)); d < distance {
			best, distance = candidate, d
		}
	}
	if best == "" {
		return "."
	}
	return fmt.Sprintf(": did you mean %q?", best)
}

// edits is how many characters must be added, removed or changed to turn a into b (the Levenshtein
// distance).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
