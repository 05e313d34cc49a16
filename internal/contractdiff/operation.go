package contractdiff

import "slices"

func (d *differ) pathItem(at site, path string, old, next any) {
	for _, method := range methods {
		at.operations = append(at.operations, operationNames(path, method, member(old, method), member(next, method))...)
	}
	slices.Sort(at.operations)
	at.operations = slices.Compact(at.operations)
	whole := old == absent || next == absent
	if whole && len(at.operations) == 0 {
		d.report(at, Documentation, "path", "it has no operation", old, next)
		return
	}
	d.members(at, old, next, func(at site, key string, old, next any) {
		switch {
		case slices.Contains(methods, key):
			at.operations = operationNames(path, key, old, next)
			d.grow(at, "operation", "callers of this operation get an error", "callers can call this operation", old, next, d.operation)
		case whole: // its operations say it
		case key == "parameters":
			d.parameters(at, old, next)
		case key == "summary", key == "description":
			d.prose(at, old, next)
		default:
			d.unknown(at, old, next)
		}
	})
}

// operationNames are the names of versions of one operation, some of which may be absent.
func operationNames(path, method string, versions ...any) (names []string) {
	for _, op := range versions {
		if op != absent {
			names = append(names, operationName(path, method, op))
		}
	}
	return slices.Compact(names)
}

func (d *differ) operation(at site, old, next any) {
	d.fields(at, old, next, func(at site, key string, was, is any) {
		switch key {
		case "operationId":
			d.keep(at, "operation-id", "generated code has methods and types of this name, and callers have it in logs and tests", was, is)
		case "x-safety":
			d.safety(at, was, is)
		case "x-certainty":
			d.certainty(at, was, is)
		case "tags", "summary", "description", "externalDocs", "deprecated":
			d.prose(at, was, is)
		case "security":
			d.operationSecurity(at, old, next)
		case "parameters":
			d.parameters(at, was, is)
		case "requestBody":
			at.request = true
			d.optionalBody(at, was, is)
		case "responses":
			at.response = true
			d.responses(at, was, is)
		default:
			d.unknown(at, was, is)
		}
	})
}

// parameters compares lists of parameters by place and name.
func (d *differ) parameters(at site, old, next any) {
	at.request = true
	named := func(doc document, value any) (map[string]any, bool) {
		items, ok := list(value)
		out := map[string]any{}
		for _, item := range items {
			p := doc.resolve(item)
			name := text(p, "in") + " " + text(p, "name")
			if _, twice := out[name]; twice || text(p, "name") == "" {
				return nil, false
			}
			out[name] = item
		}
		return out, ok
	}
	before, isList := named(d.old, old)
	after, areLists := named(d.next, next)
	if !isList || !areLists {
		d.unknown(at, old, next)
		return
	}
	n := len(d.changes)
	for _, name := range unionKeys(before, after) {
		was, is := member(before, name), member(after, name)
		switch at := at.child(name); {
		case equal(was, is):
		case was == absent && member(d.next.resolve(is), "required") == true:
			d.keep(at, "parameter", "callers that do not send it are refused", was, is)
		case was == absent:
			d.report(at, Addition, "parameter", "callers can send it", was, is)
		case is == absent:
			d.keep(at, "parameter", "callers that send it are refused, or ignored", was, is)
		default:
			d.referable(at, was, is, d.parameter)
		}
	}
	if len(d.changes) == n {
		d.report(at, Documentation, "order", "only the order changed", old, next)
	}
}

// mandatory compares whether a parameter or a body must be sent.
func (d *differ) mandatory(at site, old, next any) {
	if next == true {
		d.keep(at, "required", "callers that do not send it are refused", old, next)
	} else {
		d.report(at, Addition, "required", "callers can leave it out", old, next)
	}
}

func (d *differ) parameter(at site, old, next any) {
	d.fields(at, old, next, func(at site, key string, old, next any) {
		switch key {
		case "description", "deprecated":
			d.prose(at, old, next)
		case "example", "examples":
			d.example(at, old, next)
		case "schema":
			d.subschema(at, old, next)
		case "content":
			d.content(at, old, next)
		case "x-certainty":
			d.certainty(at, old, next)
		case "required":
			d.mandatory(at, old, next)
		default:
			d.keep(at, "parameter", "callers send it in another way", old, next)
		}
	})
}
