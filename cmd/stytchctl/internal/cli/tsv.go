package cli

import "strings"

// tsv writes values separated by tabs, each record on one line, below a line with the names of the
// fields. A list that was cut short before its first record has no head.
type tsv struct {
	*output
	titles []string
	begun  bool
}

func (t *tsv) row(cells []string) error {
	if err := t.begin(); err != nil {
		return err
	}
	return t.line(cells)
}

// close writes the head of an empty list too.
func (t *tsv) close() error {
	if err := t.begin(); err != nil {
		return err
	}
	return t.flush()
}

func (t *tsv) begin() error {
	if t.begun {
		return nil
	}
	t.begun = true
	return t.line(t.titles)
}

func (t *tsv) line(cells []string) error {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = visible(cell)
	}
	return t.write([]byte(strings.Join(texts, "\t") + "\n"))
}
