package house

import (
	"go/ast"
	"strings"
	"testing"
)

// TestGoroutines wants each goroutine that the SDK starts to pass through package guard if it calls
// a function value or an interface, which may be code of others: its panic would end the process.
func TestGoroutines(t *testing.T) {
	started := 0
	for _, s := range published(t) {
		// The suites for journals and stores run in the tests of others, which a panic may end.
		if path := s.path(); strings.HasSuffix(path, "test") || path == "internal/guard" {
			continue
		}
		for _, g := range s.goroutines() {
			started++
			w := walk{source: s, seen: map[ast.Node]bool{}}
			w.expression(g.runs)
			if len(w.dynamic) > 0 && !w.guarded {
				t.Errorf("%s: the goroutine calls %s outside of internal/guard", g.where, strings.Join(w.dynamic, ", "))
			}
		}
	}
	if started < 10 {
		t.Errorf("%d places that start a goroutine were found", started)
	}
}
