package contractdiff

import "strings"

// optionalBody compares the request bodies of an operation, of which one may be absent.
func (d *differ) optionalBody(at site, old, next any) {
	required := func(doc document, body any) bool { return member(doc.resolve(body), "required") == true }
	switch {
	case old == absent && required(d.next, next):
		d.keep(at, "request-body", "callers that send no body are refused", old, next)
	case old == absent:
		d.report(at, Addition, "request-body", "callers can send a body", old, next)
	case next == absent:
		d.keep(at, "request-body", "callers that send a body are refused, or ignored", old, next)
	default:
		d.referable(at, old, next, d.requestBody)
	}
}

func (d *differ) requestBody(at site, old, next any) {
	d.fields(at, old, next, func(at site, key string, old, next any) {
		switch key {
		case "description":
			d.prose(at, old, next)
		case "x-certainty":
			d.certainty(at, old, next)
		case "content":
			d.content(at, old, next)
		case "required":
			d.mandatory(at, old, next)
		default:
			d.unknown(at, old, next)
		}
	})
}

func (d *differ) responses(at site, old, next any) {
	d.fields(at, old, next, func(at site, status string, old, next any) {
		if strings.HasPrefix(status, "x-") {
			d.unknown(at, old, next)
			return
		}
		d.grow(at, "response", "callers that handle this response do so in vain, and its field in generated code is gone", "callers may get this response",
			old, next, func(at site, old, next any) { d.referable(at, old, next, d.response) })
	})
}

func (d *differ) response(at site, old, next any) {
	d.fields(at, old, next, func(at site, key string, old, next any) {
		switch key {
		case "description":
			d.prose(at, old, next)
		case "x-certainty":
			d.certainty(at, old, next)
		case "content":
			d.content(at, old, next)
		case "headers":
			d.members(at, old, next, func(at site, _ string, old, next any) {
				d.grow(at, "header", "callers that read this header find nothing", "callers can read this header", old, next,
					func(at site, old, next any) { d.referable(at, old, next, d.header) })
			})
		case "x-error-types":
			d.set(at, old, next, func(at site, old, next any) {
				d.grow(at, "error-types", "callers that handle this error type do so in vain", "callers may get this error type", old, next, d.unknown)
			})
		default:
			d.unknown(at, old, next)
		}
	})
}

func (d *differ) header(at site, old, next any) {
	d.fields(at, old, next, func(at site, key string, old, next any) {
		switch key {
		case "description", "deprecated":
			d.prose(at, old, next)
		case "example", "examples":
			d.example(at, old, next)
		case "schema":
			d.subschema(at, old, next)
		case "x-certainty":
			d.certainty(at, old, next)
		case "required":
			if next == true {
				d.report(at, Addition, "header", "callers can rely on this header", old, next)
			} else {
				d.keep(at, "header", "callers that rely on this header may not find it", old, next)
			}
		default:
			d.unknown(at, old, next)
		}
	})
}

func (d *differ) content(at site, old, next any) {
	removed, added := "callers that read this media type get another", "callers may ask for this media type"
	if at.request {
		removed, added = "callers that send this media type are refused", "callers can send this media type"
	}
	d.members(at, old, next, func(at site, _ string, old, next any) {
		d.grow(at, "media-type", removed, added, old, next, func(at site, was, is any) {
			d.fields(at, was, is, func(at site, key string, old, next any) {
				switch key {
				case "schema":
					d.subschema(at, old, next)
				case "example", "examples":
					if next == absent && (member(is, "example") != absent || member(is, "examples") != absent) {
						d.report(at, Documentation, "example", "other examples took its place", old, next)
						return
					}
					d.example(at, old, next)
				default:
					d.unknown(at, old, next)
				}
			})
		})
	})
}
