package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A template makes the custom claims of M2M tokens. The zero value makes none.
type template []templatePart

// A templatePart is text, or the path of a placeholder.
type templatePart struct {
	text   string
	path   []string // "request", name; or "client", "trusted_metadata", key, ...
	quoted bool     // within a JSON string
}

// reservedClaims are set by Stytch and cannot come from a template.
var reservedClaims = []string{"aud", "exp", "iat", "iss", "jti", "nbf", "scope", "sub"}

func parseTemplate(text string) (template, error) {
	var parts template
	quoted := false
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "{{")
		quoted = endsQuoted(before, quoted)
		parts = append(parts, templatePart{text: before})
		if !found {
			break
		}
		placeholder, after, found := strings.Cut(after, "}}")
		if !found {
			return nil, errors.New("a placeholder has no }}")
		}
		path := strings.Split(strings.TrimSpace(placeholder), ".")
		if !validPlaceholder(path) {
			return nil, fmt.Errorf("the placeholder {{%s}} is none of {{ request.name }} and {{ client.trusted_metadata.key }}", placeholder)
		}
		parts = append(parts, templatePart{path: path, quoted: quoted})
		rest = after
	}
	rendered, ok := parts.render(&m2mClient{metadata: json.RawMessage("{}")}, nil)
	if !ok {
		return nil, errors.New("it must be a JSON object once its placeholders are replaced by values")
	}
	for _, name := range reservedClaims {
		if _, ok := rendered[name]; ok {
			return nil, fmt.Errorf("the claim %s is reserved", name)
		}
	}
	return parts, nil
}

// validPlaceholder accepts the two documented forms.
func validPlaceholder(path []string) bool {
	if slices.Contains(path, "") {
		return false
	}
	return len(path) == 2 && path[0] == "request" || len(path) >= 3 && path[0] == "client" && path[1] == "trusted_metadata"
}

// endsQuoted reports whether JSON text ends within a string.
func endsQuoted(text string, quoted bool) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		}
	}
	return quoted
}

// claims renders the template. A value that the client or the request lacks is null, or the empty
// text within a string (assumed).
func (t template) claims(client *m2mClient, params map[string]string) map[string]any {
	rendered, ok := t.render(client, params)
	if !ok {
		return map[string]any{}
	}
	claims := make(map[string]any, len(rendered)+len(reservedClaims))
	for name, value := range rendered {
		claims[name] = value
	}
	return claims
}

func (t template) render(client *m2mClient, params map[string]string) (map[string]json.RawMessage, bool) {
	if len(t) == 0 {
		return nil, false
	}
	var b strings.Builder
	for _, part := range t {
		switch {
		case part.path == nil:
			b.WriteString(part.text)
		case part.quoted:
			b.WriteString(within(part.value(client, params)))
		default:
			b.Write(part.value(client, params))
		}
	}
	return parseObject([]byte(b.String()))
}

// value is the JSON that a placeholder stands for.
func (p templatePart) value(client *m2mClient, params map[string]string) json.RawMessage {
	if p.path[0] == "request" {
		text, ok := params[p.path[1]]
		if !ok || p.path[1] == "client_secret" {
			return json.RawMessage("null")
		}
		return encode(text)
	}
	value := client.metadata
	for _, key := range p.path[2:] {
		fields, ok := parseObject(value)
		if value = fields[key]; !ok || value == nil {
			return json.RawMessage("null")
		}
	}
	return value
}

// within is a JSON value as a part of a JSON string.
func within(value json.RawMessage) string {
	var text string
	if isNull(value) {
		return ""
	}
	if json.Unmarshal(value, &text) != nil {
		text = string(value)
	}
	quoted := string(encode(text))
	return quoted[1 : len(quoted)-1]
}
