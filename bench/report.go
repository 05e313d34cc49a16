package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

const xoauth2 = "x/oauth2"

// columns are those of the table. stytch/token stands in the first one too: no row has both.
var columns = []string{ours, golang, goJose, goOIDC, jwx, xoauth2}

// row is one line of the table.
type row struct {
	what   string
	unit   string
	values map[string]string // by column
	goal   string            // for the first column
}

type report []row

func (r *report) add(what, unit, goal string, values map[string]string) {
	*r = append(*r, row{what, unit, values, goal})
}

// ratios adds the results of a comparison, by column.
func (r *report) ratios(what, unit, goal string, results map[string]result) {
	values := map[string]string{}
	for name, v := range results {
		values[name] = ratio(v.ratio)
	}
	r.add(what, unit, goal, values)
}

// ratio has as many digits as mean something.
func ratio(v float64) string {
	switch {
	case v >= 10:
		return fmt.Sprintf("%.0f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.3f", v)
	case v >= 0.001:
		return fmt.Sprintf("%.4f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

func microseconds(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/1e3) }
func milliseconds(d time.Duration) string { return ratio(float64(d) / 1e6) }

// markdown is the table, with columns of equal width so that it reads well in a terminal too.
func (r *report) markdown() string {
	lines := [][]string{slices.Concat([]string{"what", "unit", "stytch/*"}, columns[1:], []string{"goal"})}
	for _, row := range *r {
		line := []string{row.what, row.unit}
		for _, column := range columns {
			line = append(line, row.values[column])
		}
		lines = append(lines, append(line, row.goal))
	}
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var table bytes.Buffer
	for n, line := range lines {
		for i, cell := range line {
			if i < 2 || i == len(line)-1 {
				fmt.Fprintf(&table, "| %-*s ", widths[i], cell)
			} else {
				fmt.Fprintf(&table, "| %*s ", widths[i], cell)
			}
		}
		table.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i, width := range widths {
			rule := strings.Repeat("-", width)
			if i >= 2 && i < len(line)-1 {
				rule = rule[:width-1] + ":"
			}
			fmt.Fprintf(&table, "| %s ", rule)
		}
		table.WriteString("|\n")
	}
	return table.String()
}
