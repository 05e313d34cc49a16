package cli

import (
	"bytes"
	"testing"
)

// A list that was cut short cannot be taken for a whole one.
func TestCut(t *testing.T) {
	for _, test := range []struct {
		name, jq  string
		output    Format
		none, one string
	}{
		{name: "table", output: Table, one: "ID\na\n"},
		{name: "tsv", output: TSV, one: "id\na\n"},
		{name: "json", output: JSON, one: "[\n{\"id\":\"a\"}"},
		{name: "jq", output: JSON, jq: "length"},
		{name: "ndjson", output: NDJSON, one: "{\"id\":\"a\"}\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for printed, want := range []string{test.none, test.one} {
				var out bytes.Buffer
				app := New()
				app.Out = &out
				app.Flags.Output, app.Flags.JQ = test.output, test.jq
				printer, err := NewPrinter(app, Column[map[string]string]{Field: "id", Title: "ID"})
				if err != nil {
					t.Fatal(err)
				}
				for range printed {
					if err := printer.Print(map[string]string{"id": "a"}); err != nil {
						t.Fatal(err)
					}
				}
				if err := printer.Cut(); err != nil {
					t.Fatal(err)
				}
				if out.String() != want {
					t.Errorf("after %d records: %q, want %q", printed, &out, want)
				}
			}
		})
	}
}
