// Package contractdiff compares two versions of the contract and says what each edit means to those
// who rely on it. Every edit yields a change: an edit that no rule knows counts as a break.
package contractdiff

// Kind is what a change means to callers.
type Kind string

// The kinds, the worst first.
const (
	Break         Kind = "break"         // something that worked, compiled or could be relied on does not any more
	Addition      Kind = "addition"      // callers can do or get more than before
	Documentation Kind = "documentation" // callers read something else, and nothing behaves in another way
)

// A Change is one difference between two contracts.
type Change struct {
	Kind   Kind   `json:"kind"`
	Rule   string `json:"rule"`
	Change string `json:"change"` // added, removed or changed
	Path   string `json:"path"`   // where it is in the document, its members separated by spaces
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
	Why    string `json:"why"`
	// Operations are the operation IDs that it concerns. It has none if it concerns the document.
	Operations []string `json:"operations,omitempty"`
}

// differ collects the changes.
type differ struct {
	old, next document
	uses      uses
	changes   []Change
}

// report adds a change at a place. One of the values may be absent.
func (d *differ) report(at site, kind Kind, rule, why string, old, next any) {
	c := Change{Kind: kind, Rule: rule, Change: "changed", Path: at.String(), Why: why, Operations: at.operations}
	switch {
	case old == absent:
		c.Change, c.New = "added", short(next)
	case next == absent:
		c.Change, c.Old = "removed", short(old)
	default:
		c.Old, c.New = short(old), short(next)
	}
	d.changes = append(d.changes, c)
}

// keep is for what callers rely on as it is: any change of it is a break.
func (d *differ) keep(at site, rule, why string, old, next any) {
	d.report(at, Break, rule, why, old, next)
}

// grow is for what may be added and must not be removed. What is there on both sides is left to
// inside.
func (d *differ) grow(at site, rule, removed, added string, old, next any, inside func(at site, old, next any)) {
	switch {
	case old == absent:
		d.report(at, Addition, rule, added, old, next)
	case next == absent:
		d.report(at, Break, rule, removed, old, next)
	default:
		inside(at, old, next)
	}
}

// unknown is for what no rule knows.
func (d *differ) unknown(at site, old, next any) {
	d.keep(at, "unknown", "no rule knows what this means to callers, so it counts as a break", old, next)
}

// prose is for what callers only read.
func (d *differ) prose(at site, old, next any) {
	before, isObject := old.(map[string]any)
	after, areObjects := next.(map[string]any)
	if isObject && areObjects {
		d.fields(at, before, after, func(at site, _ string, old, next any) { d.prose(at, old, next) })
		return
	}
	d.report(at, Documentation, "text", "only what people read changed", old, next)
}

// fields calls judge for every member in which two objects differ.
func (d *differ) fields(at site, old, next any, judge func(at site, key string, old, next any)) {
	before, isObject := old.(map[string]any)
	after, areObjects := next.(map[string]any)
	if !isObject || !areObjects {
		d.unknown(at, old, next)
		return
	}
	for _, key := range unionKeys(before, after) {
		was, is := member(before, key), member(after, key)
		if !equal(was, is) {
			judge(at.child(key), key, was, is)
		}
	}
}

// members is fields for objects of which one may be absent, which is the same as an empty one.
func (d *differ) members(at site, old, next any, judge func(at site, key string, old, next any)) {
	orEmpty := func(value any) any {
		if value == absent {
			return map[string]any{}
		}
		return value
	}
	if equal(orEmpty(old), orEmpty(next)) {
		d.report(at, Documentation, "empty", "an empty object is the same as none", old, next)
		return
	}
	d.fields(at, orEmpty(old), orEmpty(next), judge)
}

// set compares two lists whose order has no meaning, item by item.
func (d *differ) set(at site, old, next any, judge func(at site, old, next any)) {
	before, isList := list(old)
	after, areLists := list(next)
	if !isList || !areLists {
		d.unknown(at, old, next)
		return
	}
	n := len(d.changes)
	for _, item := range before {
		if !contains(after, item) {
			judge(at.child(short(item)), item, absent)
		}
	}
	for _, item := range after {
		if !contains(before, item) {
			judge(at.child(short(item)), absent, item)
		}
	}
	if len(d.changes) == n {
		d.report(at, Documentation, "order", "only the order changed, or how often something is listed", old, next)
	}
}

// referable compares two values of which one or both may be references. A reference that is kept is
// compared once, where it points.
func (d *differ) referable(at site, old, next any, compare func(at site, old, next any)) {
	was, is := d.old.resolve(old), d.next.resolve(next)
	if was == absent || is == absent {
		d.unknown(at, old, next)
		return
	}
	n := len(d.changes)
	if !equal(was, is) {
		compare(at, was, is)
	}
	if len(d.changes) == n {
		d.report(at, Documentation, "reference", "it says the same in another place", old, next)
	}
}
