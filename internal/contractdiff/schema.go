package contractdiff

import "fmt"

// subschema compares schemas where they are used. A reference that is kept is compared once, where
// it points.
func (d *differ) subschema(at site, old, next any) {
	was, is := text(old, "$ref"), text(next, "$ref")
	switch {
	case old == absent || next == absent:
		d.keep(at, "type", "what was said of the value, or was not, changes", old, next)
	case was == "" && is == "":
		d.schema(at, old, next)
	case was != "" && is != "" && d.next.at(was) == absent && d.old.at(is) == absent && equal(d.old.at(was), d.next.at(is)):
		d.report(at, Documentation, "reference", "it follows the new name of the component", old, next)
	default:
		d.keep(at, "reference", "it has another type, at least in generated code", old, next)
	}
}

// schema compares two schemas that are no references.
func (d *differ) schema(at site, old, next any) {
	if old, next, done := d.knownValues(at, old, next); !done {
		d.keywords(at, old, next)
	}
}

func (d *differ) keywords(at site, old, next any) {
	d.fields(at, old, next, func(at site, key string, was, is any) {
		switch key {
		case "description", "title", "deprecated", "externalDocs":
			d.prose(at, was, is)
		case "example":
			d.example(at, was, is)
		case "x-certainty":
			d.certainty(at, was, is)
		case "type":
			d.keep(at, "type", "values of the old type are refused, or values of the new type not understood", was, is)
		case "format":
			d.keep(at, "format", "values are written in another way, and have another type in generated code", was, is)
		case "readOnly", "writeOnly":
			d.keep(at, "type", "it says in which direction a value goes, and whether generated code can send a secret", was, is)
		case "enum":
			d.enum(at, was, is)
		case "default":
			d.defaultValue(at, was, is)
		case "nullable":
			d.nullable(at, old, next)
		case "required":
			d.required(at, old, next)
		case "properties":
			d.properties(at, old, next)
		case "items":
			d.subschema(at, was, is)
		case "additionalProperties":
			d.additional(at, was, is)
		case "allOf", "oneOf", "anyOf":
			d.composition(at, was, is)
		default:
			d.limit(at, key, was, is)
		}
	})
}

func (d *differ) enum(at site, old, next any) {
	if old == absent || next == absent {
		d.keep(at, "enum", "the values that are allowed change, and the type in generated code", old, next)
		return
	}
	d.set(at, old, next, func(at site, old, next any) {
		switch {
		case next == absent:
			d.keep(at, "enum", "callers that use this value are refused, or wait for it in vain, and its constant in generated code is gone", old, next)
		case at.response:
			d.keep(at, "enum", "callers may get a value that they cannot know", old, next)
		default:
			d.report(at, Addition, "enum", "callers can send this value", old, next)
		}
	})
}

func (d *differ) defaultValue(at site, old, next any) {
	if old == absent {
		d.report(at, Addition, "default", "callers know what holds when it is left out", old, next)
		return
	}
	d.keep(at, "default", "callers that leave it out get something else", old, next)
}

// nullable compares the member nullable of two schemas.
func (d *differ) nullable(at site, old, next any) {
	was, is := member(old, "nullable") == true, member(next, "nullable") == true
	old, next = member(old, "nullable"), member(next, "nullable")
	switch {
	case was == is:
		d.report(at, Documentation, "nullable", "it says what holds without it", old, next)
	case was && at.request:
		d.keep(at, "nullable", "callers that send null are refused", old, next)
	case is && at.response:
		d.keep(at, "nullable", "callers that expect a value may get null", old, next)
	default:
		d.report(at, Addition, "nullable", "callers can send null, or get none", old, next)
	}
}

// required compares the lists of required properties. A property that comes or goes is judged as a
// property.
func (d *differ) required(at site, old, next any) {
	n, judged := len(d.changes), false
	d.set(at, member(old, "required"), member(next, "required"), func(at site, was, is any) {
		name, added := is, true
		if was != absent {
			name, added = was, false
		}
		property := fmt.Sprint(name)
		before, after := member(member(old, "properties"), property), member(member(next, "properties"), property)
		switch {
		case (before == absent) != (after == absent):
			judged = true
		case added && at.request:
			d.keep(at, "required", "callers that do not send it are refused", was, is)
		case !added && at.response:
			d.keep(at, "required", "callers that rely on it may not find it", was, is)
		default:
			d.report(at, Addition, "required", "callers can rely on it, or leave it out", was, is)
		}
	})
	if judged && len(d.changes) == n+1 && d.changes[n].Rule == "order" {
		d.changes = d.changes[:n]
	}
}

func (d *differ) properties(at site, old, next any) {
	d.members(at, member(old, "properties"), member(next, "properties"), func(at site, name string, was, is any) {
		needed, _ := list(member(next, "required"))
		switch {
		case is == absent:
			d.keep(at, "property", "callers that send it are refused, callers that read it find nothing, and its field in generated code is gone", was, is)
		case was == absent && at.request && contains(needed, name):
			d.keep(at, "property", "callers that do not send it are refused", was, is)
		case was == absent:
			d.report(at, Addition, "property", "callers can send it, or get it", was, is)
		default:
			d.subschema(at, was, is)
		}
	})
}

// additional compares what an object may hold beside its properties. An object is open unless it
// says otherwise.
func (d *differ) additional(at site, old, next any) {
	_, wasSchema := old.(map[string]any)
	_, isSchema := next.(map[string]any)
	named := func(v any, schema bool) bool { return schema || v == true }
	switch {
	case wasSchema && isSchema:
		d.subschema(at, old, next)
	case named(old, wasSchema) && !named(next, isSchema):
		d.keep(at, "additional-properties", "callers that send or read more than the properties cannot any more", old, next)
	case at.request && next == false:
		d.keep(at, "additional-properties", "callers that send more than the properties are refused", old, next)
	case wasSchema != isSchema && named(old, wasSchema):
		d.keep(at, "additional-properties", "what is not a property has another type", old, next)
	default:
		d.report(at, Addition, "additional-properties", "callers can send or get more than the properties", old, next)
	}
}

// composition compares allOf, oneOf or anyOf part by part.
func (d *differ) composition(at site, old, next any) {
	before, isList := old.([]any)
	after, areLists := next.([]any)
	if !isList || !areLists || len(before) != len(after) {
		d.keep(at, "composition", "it is made of other parts", old, next)
		return
	}
	for i := range before {
		if !equal(before[i], after[i]) {
			d.subschema(at.child(fmt.Sprintf("[%d]", i)), before[i], after[i])
		}
	}
}
