package api

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/internal/operation"
)

// maxBody is what Stytch accepts and more.
const maxBody = 4 << 20

// A request is one operation of the contract with its body.
type request struct {
	op             *operation.Operation
	path           string // escaped
	clientIDInPath string // "" if there is none
	body           []byte // nil for none
}

// newRequest refuses what is no operation of the contract.
func newRequest(app *cli.App, f *flags, projectID, method, path string) (*request, error) {
	path = strings.ReplaceAll(path, "{project_id}", url.PathEscape(projectID))
	if parsed, err := url.Parse(path); err != nil || !strings.HasPrefix(path, "/") || parsed.RawQuery != "" || parsed.Fragment != "" {
		return nil, cli.Usagef("PATH: it must begin with / and have no query, such as /v1/m2m/clients/search. Nothing was sent.")
	}
	r := &request{path: path}
	var escaped string
	if r.op, escaped = operation.Match(strings.ToUpper(method), path); r.op == nil {
		return nil, unknown(strings.ToUpper(method), path)
	}
	id, err := operation.Param(escaped)
	if err == nil && escaped != "" {
		err = operation.CheckID(id)
	}
	if err != nil {
		return nil, cli.Usagef("PATH: the id %w. Nothing was sent.", err)
	}
	if strings.Contains(r.op.Path, "{client_id}") {
		r.clientIDInPath = id
	}
	if r.body, err = readBody(app, f, r.op); err != nil {
		return nil, err
	}
	return r, nil
}

// unknown names the operation that was meant.
func unknown(method, path string) error {
	var known []string
	for _, op := range operation.All {
		known = append(known, op.Method+" "+like(op.Path, path))
	}
	return cli.Usagef("%s %s is no operation of the contract%s See stytchctl contract show. Nothing was sent.", method, path, cli.Nearest(method+" "+path, known))
}

// like is the path of an operation with the ids of a path that has as many segments.
func like(template, path string) string {
	segments, given := strings.Split(template, "/"), strings.Split(path, "/")
	for i := range segments {
		if len(segments) == len(given) && strings.HasPrefix(segments[i], "{") {
			segments[i] = given[i]
		}
	}
	return strings.Join(segments, "/")
}

// readBody is the body of --data or --field.
func readBody(app *cli.App, f *flags, op *operation.Operation) ([]byte, error) {
	switch {
	case f.data != "" && f.fields != nil:
		return nil, cli.Usagef("--data and --field exclude each other. Nothing was sent.")
	case (f.data != "" || f.fields != nil) && (op.Method == "GET" || op.Method == "DELETE"):
		return nil, cli.Usagef("%s has no body: leave out --data and --field. Nothing was sent.", op.Method)
	case f.fields != nil:
		return fieldBody(f.fields, op)
	case f.data == "":
		return nil, nil
	}
	value := f.data
	if value == "-" {
		value = "@-"
	}
	body, err := app.ReadArgument("--data", value, maxBody)
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	isObject := strings.HasPrefix(strings.TrimSpace(string(body)), "{")
	form := op.TakesForm && !isObject
	if isObject && !op.TakesJSON {
		return nil, cli.Usagef("--data: %s takes a form, such as token=TEXT&client_id=ID. Nothing was sent.", op.ID)
	}
	if err := json.Unmarshal(body, &object); err != nil && !form {
		return nil, cli.Usagef("--data: it must be a JSON object. Nothing was sent.")
	}
	if !strings.HasPrefix(value, "@") {
		for _, name := range op.RequestSecrets {
			if _, ok := object[name]; ok || form {
				return nil, secretArgument("--data", name)
			}
		}
	}
	if form {
		body = bytes.TrimRight(body, "\r\n") // of the file: it would belong to the last value
	}
	return body, nil
}

func secretArgument(flag, name string) error {
	return cli.Usagef("%s: %s is a secret, and other users can see an argument: give the body as -d @FILE or -d -. Nothing was sent.", flag, name)
}

// fieldBody makes an object of name=value, or a form where nothing else is taken.
func fieldBody(fields []string, op *operation.Operation) ([]byte, error) {
	object, form := map[string]any{}, url.Values{}
	for _, field := range fields {
		name, value, ok := strings.Cut(field, "=")
		if _, twice := object[name]; !ok || name == "" || twice {
			return nil, cli.Usagef("--field: it must be name=value, each name once. Nothing was sent.")
		}
		if slices.Contains(op.RequestSecrets, name) {
			return nil, secretArgument("--field", name)
		}
		object[name] = fieldValue(value)
		form.Set(name, value)
	}
	if !op.TakesJSON && op.TakesForm {
		return []byte(form.Encode()), nil
	}
	return json.Marshal(object)
}

// fieldValue is the value that a text looks like.
func fieldValue(text string) any {
	var value any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil || decoder.More() {
		return text
	}
	switch v := value.(type) {
	case string: // quotation marks stay
		return text
	case json.Number:
		if _, err := v.Int64(); err != nil {
			return text
		}
	}
	return value
}
