package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"go.yaml.in/yaml/v3"
)

// toJSON writes a YAML document as JSON, in the order of the document, which is the order in which
// people read it. What JSON cannot say is refused, and so is a reference to another file, because
// the result stands on its own.
func toJSON(document []byte) ([]byte, error) {
	var file yaml.Node
	if err := yaml.Unmarshal(document, &file); err != nil {
		return nil, err
	}
	if len(file.Content) != 1 {
		return nil, fmt.Errorf("it holds no document")
	}
	var compact, indented bytes.Buffer
	if err := encode(&compact, file.Content[0]); err != nil {
		return nil, err
	}
	if err := json.Indent(&indented, compact.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

func encode(out *bytes.Buffer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.MappingNode:
		return encodeMapping(out, n)
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := encode(out, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	case yaml.ScalarNode:
		return encodeScalar(out, n)
	}
	return fmt.Errorf("line %d: an alias: write the value out", n.Line)
}

func encodeMapping(out *bytes.Buffer, n *yaml.Node) error {
	out.WriteByte('{')
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.ShortTag() != "!!str":
			return fmt.Errorf("line %d: the key %s is not text: quote it", key.Line, key.Value)
		case seen[key.Value]:
			return fmt.Errorf("line %d: the key %s occurs twice: remove one", key.Line, key.Value)
		case key.Value == "$ref" && !strings.HasPrefix(value.Value, "#/"):
			return fmt.Errorf("line %d: a reference to another file: move what it names into this one", value.Line)
		}
		seen[key.Value] = true
		if i > 0 {
			out.WriteByte(',')
		}
		if err := encodeValue(out, key.Value); err != nil {
			return err
		}
		out.WriteByte(':')
		if err := encode(out, value); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

func encodeScalar(out *bytes.Buffer, n *yaml.Node) error {
	var value any
	switch n.ShortTag() {
	case "!!str", "!!int", "!!bool", "!!null", "!!float":
		if err := n.Decode(&value); err != nil {
			return fmt.Errorf("line %d: %w", n.Line, err)
		}
	default: // a date such as 2026-11-01, or bytes
		return fmt.Errorf("line %d: %s has no type of JSON: quote it", n.Line, n.Value)
	}
	if number, ok := value.(float64); ok && (math.IsNaN(number) || math.IsInf(number, 0)) {
		return fmt.Errorf("line %d: %s is no number of JSON", n.Line, n.Value)
	}
	return encodeValue(out, value)
}

// encodeValue leaves <, > and & as they are.
func encodeValue(out *bytes.Buffer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1) // the line break
	return nil
}
