package contractdiff

import "slices"

// Compare returns the changes from one OpenAPI document to another, in the order of their paths.
// The documents are what YAML or JSON decodes into any.
func Compare(old, next any) []Change {
	d := &differ{old: document{normalize(old)}, next: document{normalize(next)}, uses: uses{}}
	d.uses.collect(d.old)
	d.uses.collect(d.next)
	d.document()
	return d.changes
}

// document compares everything.
func (d *differ) document() {
	if equal(d.old.root, d.next.root) {
		return
	}
	d.fields(site{}, d.old.root, d.next.root, func(at site, key string, old, next any) {
		switch key {
		case "info", "tags", "externalDocs":
			d.prose(at, old, next)
		case "servers":
			d.servers(at, old, next)
		case "security":
			d.security(at, old, next)
		case "paths":
			d.members(at, old, next, d.pathItem)
		case "components":
			d.members(at, old, next, d.components)
		case "x-error-catalog":
			d.members(at, old, next, d.catalogEntry)
		default:
			d.unknown(at, old, next)
		}
	})
}

// servers compares lists of servers by their address.
func (d *differ) servers(at site, old, next any) {
	before, isList := byName(old, "url")
	after, areLists := byName(next, "url")
	if !isList || !areLists {
		d.unknown(at, old, next)
		return
	}
	n := len(d.changes)
	d.fields(at, before, after, func(at site, _ string, old, next any) {
		d.grow(at, "server", "callers that send to it reach nothing", "callers can send to it", old, next, func(at site, old, next any) {
			d.fields(at, old, next, func(at site, key string, old, next any) {
				if key == "description" {
					d.prose(at, old, next)
				} else {
					d.unknown(at, old, next)
				}
			})
		})
	})
	if len(d.changes) == n {
		d.report(at, Documentation, "order", "only the order changed", old, next)
	}
}

// byName turns a list of objects into an object, by a member that is different in each.
func byName(value any, key string) (map[string]any, bool) {
	items, ok := list(value)
	out := map[string]any{}
	for _, item := range items {
		name := text(item, key)
		if _, twice := out[name]; name == "" || twice {
			return nil, false
		}
		out[name] = item
	}
	return out, ok
}

// namedComponents are the kinds of components whose names are names in generated code.
var namedComponents = []string{"schemas", "responses", "parameters", "requestBodies"}

func (d *differ) components(at site, kind string, old, next any) {
	d.members(at, old, next, func(_ site, name string, old, next any) {
		at := d.uses.component(kind, name)
		if old == absent || next == absent {
			switch {
			case slices.Contains(namedComponents, kind):
				d.grow(at, "name", "generated code has a type of this name, which is gone", "generated code has one more type", old, next, d.unknown)
			case kind == "securitySchemes":
				d.grow(at, "security", "callers that authenticate in this way are refused", "callers can authenticate in this way", old, next, d.unknown)
			default: // where it is used, the use changes
				d.report(at, Documentation, "component", "what uses it says what changes for callers", old, next)
			}
			return
		}
		switch kind {
		case "schemas":
			d.schema(at, old, next)
		case "responses":
			d.response(at, old, next)
		case "parameters":
			d.parameter(at, old, next)
		case "requestBodies":
			d.requestBody(at, old, next)
		case "headers":
			d.header(at, old, next)
		case "examples":
			d.prose(at, old, next)
		case "securitySchemes":
			d.fields(at, old, next, func(at site, key string, old, next any) {
				if key == "description" {
					d.prose(at, old, next)
				} else {
					d.keep(at, "security", "callers authenticate in another way", old, next)
				}
			})
		default:
			d.unknown(at, old, next)
		}
	})
}

// catalogEntry compares what is known of an error type.
func (d *differ) catalogEntry(at site, _ string, old, next any) {
	d.grow(at, "error-types", "callers may wait for an error type that the contract does not have any more", "one more error type is known", old, next,
		func(at site, old, next any) {
			d.fields(at, old, next, func(at site, key string, old, next any) {
				switch key {
				case "when":
					d.prose(at, old, next)
				case "certainty":
					d.certainty(at, old, next)
				case "assumed-status":
					d.grow(at, "error-types", "callers may wait for it with this status", "it may come with this status, too", old, next,
						func(at site, old, next any) { d.keep(at, "error-types", "it comes with another status", old, next) })
				case "status":
					d.keep(at, "error-types", "it comes with another status", old, next)
				default:
					d.unknown(at, old, next)
				}
			})
		})
}
