package cli

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// measured is how many records decide the widths of the columns.
const measured = 100

// table lays records out in columns. Its last column has no padding, so that long texts do not wrap
// without need.
type table struct {
	*output
	bold   func(string) string
	titles []string
	widths []int
	rows   [][]string // those that are measured before the first is written
}

func (t *table) row(cells []string) error {
	for i, cell := range cells {
		cells[i] = visible(cell)
	}
	if t.widths != nil {
		return t.writeRow(cells, nil)
	}
	t.rows = append(t.rows, cells)
	if len(t.rows) < measured {
		return nil
	}
	return t.begin()
}

// begin fixes the widths and writes what has been collected.
func (t *table) begin() error {
	t.widths = make([]int, len(t.titles))
	for i, title := range t.titles {
		t.widths[i] = utf8.RuneCountInString(title)
		for _, row := range t.rows {
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	if err := t.writeRow(t.titles, t.bold); err != nil {
		return err
	}
	for _, row := range t.rows {
		if err := t.writeRow(row, nil); err != nil {
			return err
		}
	}
	t.rows = nil
	return nil
}

func (t *table) writeRow(cells []string, style func(string) string) error {
	var b strings.Builder
	for i, cell := range cells {
		padding := ""
		if i < len(cells)-1 {
			padding = strings.Repeat(" ", max(0, t.widths[i]-utf8.RuneCountInString(cell))+2)
		}
		if style != nil {
			cell = style(cell)
		}
		b.WriteString(cell + padding)
	}
	return t.write([]byte(strings.TrimRight(b.String(), " ") + "\n"))
}

// close writes the head of an empty table too, so that a person sees what was looked for.
func (t *table) close() error {
	if t.widths == nil {
		if err := t.begin(); err != nil {
			return err
		}
	}
	return t.flush()
}

// cut writes the rows that there are, and no head without any.
func (t *table) cut() error {
	if t.rows == nil && t.widths == nil {
		return nil
	}
	return t.close()
}

// visible shows what a terminal would act on: control characters, line breaks and marks that
// reverse the direction of text.
func visible(text string) string {
	if !strings.ContainsFunc(text, acts) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case acts(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func acts(r rune) bool { return r == utf8.RuneError || !unicode.IsGraphic(r) }
