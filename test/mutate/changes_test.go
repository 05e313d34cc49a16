package main

import (
	"slices"
	"strings"
	"testing"
)

func TestChanges(t *testing.T) {
	const source = `package p

func f(a, b bool, n int) int {
	switch {
	case a && !b, n < 1:
		return 1
	case g(a) || (n == 2):
		return 2
	}
	switch n { // values, not conditions
	case 1:
	}
	if a {
		return 3
	}
	return 0
}
`
	found, err := changes("p.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range found {
		lines := strings.Split(string(c.source), "\n")
		got = append(got, strings.TrimSpace(lines[c.position.Line-1]))
		if strings.Count(string(c.source), "\n") != strings.Count(source, "\n") {
			t.Errorf("%s: %s: changed more than a condition", c.position, c.what)
		}
	}
	want := []string{
		"case a || !b, n < 1:", "case !a && !b, n < 1:", "case a && b, n < 1:", "case a && !b, n >= 1:",
		"case g(a) && (n == 2):", "case !g(a) || (n == 2):", "case g(a) || (n != 2):",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if _, err := changes("p.go", []byte("no Go")); err == nil {
		t.Error("a file that is not Go was read")
	}
}
