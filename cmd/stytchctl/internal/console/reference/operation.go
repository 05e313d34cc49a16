package reference

import (
	"slices"
	"strings"
)

// An Operation is one method of one path.
type Operation struct {
	ID, Method, Path, Summary, Description string
	Safety                                 string // x-safety: what a lost response means
	Credentials                            string // what a caller authenticates with
	Parameters                             []Field
	Bodies                                 []Body
	BodyDescription                        string
	Responses                              []Response

	tag string
}

// A Body is what a request sends in one content type.
type Body struct {
	ContentType string
	Required    bool
	Fields      []Field
	Examples    []Example
}

// An Example is a sample of a body, as it is sent.
type Example struct{ Title, Text string }

// A Response is what one status means.
type Response struct {
	Status, Description string
	Certainty           Certainty
	ErrorTypes          []string
	Headers             []Field
	Fields              []Field
	Example             string
}

// OK reports whether the response is a success.
func (r Response) OK() bool { return strings.HasPrefix(r.Status, "2") }

// ErrorTypes are all error types of the operation's responses, each once.
func (o Operation) ErrorTypes() (all []string) {
	for _, r := range o.Responses {
		for _, name := range r.ErrorTypes {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

func (d *document) operation(method, path string, item, n node) Operation {
	o := Operation{
		ID: n.text("operationId"), Method: method, Path: path, Summary: n.text("summary"), Description: n.text("description"),
		Safety: n.text("x-safety"), Credentials: d.credentials(n),
	}
	if tags := n.get("tags").texts(); len(tags) > 0 {
		o.tag = tags[0]
	}
	for _, p := range append(item.get("parameters").items(), n.get("parameters").items()...) {
		o.Parameters = append(o.Parameters, d.parameter(p))
	}
	body := d.resolve(n.get("requestBody"))
	o.BodyDescription = body.text("description")
	for contentType, media := range body.get("content").entries() {
		b := Body{ContentType: contentType, Required: body.text("required") == "true", Fields: d.fields(media.get("schema"))}
		if example := media.get("example"); example.present() {
			b.Examples = append(b.Examples, Example{Text: sample(contentType, example)})
		}
		for _, example := range media.get("examples").entries() {
			b.Examples = append(b.Examples, Example{Title: example.text("summary"), Text: sample(contentType, example.get("value"))})
		}
		o.Bodies = append(o.Bodies, b)
	}
	for status, r := range n.get("responses").entries() {
		o.Responses = append(o.Responses, d.response(status, r))
	}
	return o
}

func (d *document) response(status string, n node) Response {
	n = d.resolve(n)
	r := Response{
		Status: status, Description: n.text("description"), Certainty: certainty(n), ErrorTypes: n.get("x-error-types").texts(),
	}
	for name, header := range n.get("headers").entries() {
		header = d.resolve(header)
		r.Headers = append(r.Headers, Field{Name: name, Type: "string", Certainty: certainty(header), Description: header.text("description")})
	}
	for contentType, media := range n.get("content").entries() {
		r.Fields = d.fields(media.get("schema"))
		if example := media.get("example"); example.present() {
			r.Example = sample(contentType, example)
		}
		for _, example := range media.get("examples").entries() {
			if r.Example == "" { // the first says most
				r.Example = sample(contentType, example.get("value"))
			}
		}
	}
	return r
}

func (d *document) parameter(n node) Field {
	n = d.resolve(n)
	f := d.field(n.text("name"), n.get("schema"), n.text("required") == "true")
	f.Description, f.Certainty = n.text("description"), certainty(n)
	f.Rules = append(f.Rules, "in the "+n.text("in"))
	return f
}

// credentials puts the security requirement of an operation into words.
func (d *document) credentials(n node) string {
	required := n.get("security")
	if !required.present() {
		required = d.root.get("security")
	}
	var names []string
	for _, alternative := range required.items() {
		for name := range alternative.entries() {
			names = append(names, name)
		}
	}
	switch {
	case len(names) == 0:
		return "none"
	case len(names) < len(required.items()):
		return "HTTP Basic (" + strings.Join(names, ", ") + "), or in the body"
	}
	return "HTTP Basic (" + strings.Join(names, ", ") + ")"
}
