package cli

import (
	"encoding/json"
	"fmt"
	"strings"
)

// marshal is JSON for a terminal or a program, not for HTML.
func marshal(value any) ([]byte, error) {
	if raw, ok := value.(json.RawMessage); ok {
		return raw, nil
	}
	var b jsonBuffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return b[:len(b)-1], nil
}

type jsonBuffer []byte

func (b *jsonBuffer) Write(data []byte) (int, error) {
	*b = append(*b, data...)
	return len(data), nil
}

// decode turns a record into maps and lists, with numbers as they are written.
func decode(record any) (any, error) {
	text, err := marshal(record)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var value any
	err = decoder.Decode(&value)
	return value, err
}

// lookup finds a field by its path: trusted_metadata.team.
func lookup(value any, path string) any {
	for part := range strings.SplitSeq(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[part]
	}
	return value
}

// restrict keeps the fields of an object, by the paths that --fields named.
func restrict(value any, fields []string) any {
	kept := map[string]any{}
	for _, field := range fields {
		kept[field] = lookup(value, field)
	}
	return kept
}

// scalar is a value as a cell shows it.
func scalar(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		texts := make([]string, len(v))
		for i, item := range v {
			texts[i] = scalar(item)
		}
		return strings.Join(texts, ",")
	case map[string]any:
		text, _ := marshal(v) // decoded from JSON
		return string(text)
	default:
		return fmt.Sprint(v)
	}
}
