package main

import (
	"strconv"
	"testing"

	"github.com/stytchkit/m2m/internal/contractdiff"
	"github.com/stytchkit/m2m/internal/heavy"
)

// Whatever is changed or removed anywhere in the contract, a change says so. A plain
// run tries some of the several thousand places.
func TestNothingIsSilent(t *testing.T) {
	before := working(t).document
	after := clone(before)
	tried, place, step := 0, 0, heavy.Count(61, 1)
	try := func(path string, apply, undo func()) {
		if place++; place%step != 0 {
			return
		}
		tried++
		apply()
		defer undo()
		if changes := contractdiff.Compare(before, after); len(changes) == 0 {
			t.Errorf("%s: is silent", path)
		}
	}
	visit(after, "", try)
	if changes := contractdiff.Compare(before, after); len(changes) > 0 {
		t.Fatalf("the test does not undo its edits: %+v", changes)
	}
	if tried < 50 {
		t.Errorf("only %d places were tried", tried)
	}
	t.Logf("%d of %d places were tried", tried, place)
}

// visit tries to remove each member and to change each value.
func visit(value any, path string, try func(path string, apply, undo func())) {
	switch v := value.(type) {
	case object:
		for key, member := range v {
			at := path + " " + key
			restore := func() { v[key] = member }
			try(at+" removed", func() { delete(v, key) }, restore)
			if other := another(member); other != nil {
				try(at+" changed", func() { v[key] = other }, restore)
			}
			visit(member, at, try)
		}
	case []any:
		for i, item := range v {
			if other := another(item); other != nil {
				try(path+" "+strconv.Itoa(i), func() { v[i] = other }, func() { v[i] = item })
			}
			visit(item, path+" "+strconv.Itoa(i), try)
		}
	}
}

func another(value any) any {
	switch v := value.(type) {
	case string:
		return v + "x"
	case bool:
		return !v
	case int:
		return v + 1
	}
	return nil
}
