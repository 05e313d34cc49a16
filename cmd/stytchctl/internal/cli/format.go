package cli

import (
	"fmt"
	"slices"
	"strings"
)

// A Format is a value of -o.
type Format string

// The formats.
const (
	Table  Format = "table"
	JSON   Format = "json"
	NDJSON Format = "ndjson"
	TSV    Format = "tsv"
)

var formats = []Format{Table, JSON, NDJSON, TSV}

func (f *Format) String() string { return string(*f) }

// Set is the flag's.
func (f *Format) Set(text string) error {
	if !slices.Contains(formats, Format(text)) {
		names := make([]string, len(formats))
		for i, format := range formats {
			names[i] = string(format)
		}
		return fmt.Errorf("the formats are %s", strings.Join(names, ", "))
	}
	*f = Format(text)
	return nil
}

// Type is the flag's.
func (f *Format) Type() string { return "format" }
