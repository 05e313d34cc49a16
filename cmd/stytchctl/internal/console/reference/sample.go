package reference

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sample writes an example as it is sent: as JSON with the order of the file, or as a form.
func sample(contentType string, n node) string {
	if contentType == "application/x-www-form-urlencoded" {
		var pairs []string
		for key, value := range n.entries() {
			pairs = append(pairs, url.QueryEscape(key)+"="+url.QueryEscape(value.Value))
		}
		return strings.Join(pairs, "&")
	}
	var compact, indented bytes.Buffer
	n.json(&compact)
	if json.Indent(&indented, compact.Bytes(), "", "  ") != nil {
		return compact.String()
	}
	return indented.String()
}

func (n node) json(b *bytes.Buffer) {
	switch {
	case n.Node == nil:
		b.WriteString("null")
	case n.Kind == yaml.MappingNode:
		separator := "{"
		for key, value := range n.entries() {
			b.WriteString(separator)
			writeString(b, key)
			b.WriteString(":")
			value.json(b)
			separator = ","
		}
		if separator == "{" {
			b.WriteString("{")
		}
		b.WriteString("}")
	case n.Kind == yaml.SequenceNode:
		b.WriteString("[")
		for i, item := range n.items() {
			if i > 0 {
				b.WriteString(",")
			}
			item.json(b)
		}
		b.WriteString("]")
	case n.Tag == "!!str":
		writeString(b, n.Value)
	case n.Tag == "!!null":
		b.WriteString("null")
	default: // numbers and booleans, which JSON spells as this file does
		b.WriteString(n.Value)
	}
}

func writeString(b *bytes.Buffer, s string) {
	text, _ := json.Marshal(s) // a string: it cannot fail
	b.Write(text)
}
