package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// result is a comparison.
type result struct {
	Base    string   `json:"base"`
	Changes []change `json:"changes"`
	Breaks  int      `json:"breaks"` // without the accepted ones
}

func (r result) printJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// print writes a line for each change, and a second one for each break.
func (r result) print(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "compared with %s:\n", r.Base)
	counts := map[string]int{}
	for _, c := range r.Changes {
		label := string(c.Kind)
		if c.Accepted != "" {
			label = "accepted"
		}
		counts[label]++
		fmt.Fprintf(&b, "%-13s  %s: %s\n", label, c.Path, c.what())
		switch {
		case c.Accepted != "":
			fmt.Fprintf(&b, "               %s: accepted: %s\n", c.Rule, oneLine(c.Accepted))
		case c.isBreak():
			fmt.Fprintf(&b, "               %s: %s%s\n", c.Rule, c.Why, few(c.Operations, "operations"))
			if len(c.Go) > 0 {
				fmt.Fprintf(&b, "               in Go:%s\n", few(c.Go, "names"))
			}
		}
	}
	fmt.Fprintf(&b, "%d breaks, %d accepted, %d additions, %d of documentation\n", counts["break"], counts["accepted"], counts["addition"], counts["documentation"])
	if r.Breaks > 0 {
		fmt.Fprintf(&b, "Undo the breaks, or accept each in %s by its rule and path, with a reason.\n", acceptedFile)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// few names some of many, in parentheses.
func few(names []string, kind string) string {
	const most = 3
	switch n := len(names); {
	case n == 0:
		return ""
	case n > most+1:
		return fmt.Sprintf(" (%s and %d more %s)", strings.Join(names[:most], ", "), n-most, kind)
	}
	return " (" + strings.Join(names, ", ") + ")"
}
