package contractdiff

import "maps"

// knownValues compares the known values of two schemas, in whichever form they are listed, and
// returns the schemas without them. It is done if nothing else is to compare.
func (d *differ) knownValues(at site, old, next any) (restOld, restNext any, done bool) {
	was, wasKnown := d.old.known(old)
	is, isKnown := d.next.known(next)
	plain := func(schema any) bool { return member(schema, "type") == "string" && member(schema, "enum") == absent }
	switch {
	case !wasKnown && !isKnown:
		return old, next, false
	case wasKnown && !isKnown && plain(next):
		d.keep(at.child("known-values"), "known-values", "callers do not learn any more which values to handle", was, absent)
	case isKnown && !wasKnown && plain(old):
		d.report(at.child("known-values"), Addition, "known-values", "callers learn which values to handle", absent, is)
	case wasKnown && isKnown && !equal(was, is):
		d.set(at.child("known-values"), was, is, func(at site, old, next any) {
			d.grow(at, "known-values", "callers that handle this value do so in vain", "callers may get this value", old, next, d.unknown)
		})
	case wasKnown && isKnown:
		if !equal(forms(old), forms(next)) {
			d.report(at.child("known-values"), Documentation, "known-values", "the same values are listed in another way", forms(old), forms(next))
		}
	default:
		return old, next, false
	}
	restOld, restNext = withoutForms(old), withoutForms(next)
	return restOld, restNext, equal(restOld, restNext)
}

// forms are the members of a schema that list known values.
func forms(schema any) map[string]any {
	out := map[string]any{}
	for _, key := range []string{"anyOf", "type", "x-known-values"} {
		if value := member(schema, key); value != absent {
			out[key] = value
		}
	}
	return out
}

func withoutForms(schema any) any {
	m, _ := schema.(map[string]any)
	out := maps.Clone(m)
	for key := range forms(schema) {
		delete(out, key)
	}
	return out
}
