package contractdiff

import "slices"

// Strictness orders the classes of x-safety; 0 is for what is none of them. Billed and shown-once
// are two reasons to stop, and neither is the other.
func Strictness(class string) int {
	return map[string]int{"read": 1, "idempotent": 2, "billed": 3, "shown-once": 3}[class]
}

func (d *differ) safety(at site, old, next any) {
	was, _ := old.(string)
	is, _ := next.(string)
	if Strictness(is) > Strictness(was) {
		d.report(at, Addition, "safety", "callers repeat less than before", old, next)
		return
	}
	d.keep(at, "safety", "callers may repeat what loses a secret, changes something or costs money: it may only become stricter", old, next)
}

// certainty orders the marks. Without one, a fact is documented.
func (d *differ) certainty(at site, old, next any) {
	rank := func(mark any) int {
		if mark == absent {
			mark = "documented"
		}
		return slices.Index([]string{"assumed", "observed", "documented"}, short(mark))
	}
	switch was, is := rank(old), rank(next); {
	case was < 0 || is < 0:
		d.unknown(at, old, next)
	case is < was:
		d.keep(at, "certainty", "callers rely on a fact that is less certain than they were told", old, next)
	default:
		d.report(at, Documentation, "certainty", "callers can rely on the fact at least as much as before", old, next)
	}
}

// example compares one example, or an object of named ones.
func (d *differ) example(at site, old, next any) {
	named, areNamed := old.(map[string]any)
	others, stayNamed := next.(map[string]any)
	switch {
	case next == absent:
		d.keep(at, "example", "readers, tests and mock servers of callers use it", old, next)
	case old == absent:
		d.report(at, Documentation, "example", "callers see one more example", old, next)
	case at.path[len(at.path)-1] == "examples" && areNamed && stayNamed:
		d.fields(at, named, others, func(at site, _ string, old, next any) { d.example(at, old, next) })
	default:
		d.report(at, Documentation, "example", "callers see another example", old, next)
	}
}

// security compares the ways in which callers may authenticate; each is enough.
func (d *differ) security(at site, old, next any) {
	d.set(at, ways(old), ways(next), func(at site, old, next any) {
		d.grow(at, "security", "callers that authenticate in this way are refused, or send credentials where none belong",
			"callers can authenticate in this way", old, next, d.unknown)
	})
}

// ways lists the alternatives of a security requirement. To list none is to need none.
func ways(value any) any {
	if items, ok := value.([]any); value == absent || ok && len(items) == 0 {
		return []any{map[string]any{}}
	}
	return value
}

// operationSecurity compares what holds for an operation: its own requirement, or that of the
// document.
func (d *differ) operationSecurity(at site, old, next any) {
	effective := func(doc document, op any) any {
		if own := member(op, "security"); own != absent {
			return own
		}
		return member(doc.root, "security")
	}
	before, after := effective(d.old, old), effective(d.next, next)
	if equal(ways(before), ways(after)) {
		d.report(at, Documentation, "security", "callers authenticate as before", member(old, "security"), member(next, "security"))
		return
	}
	d.security(at, before, after)
}
