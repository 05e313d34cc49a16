package cli

// A Printer writes records of one kind to stdout in the format of -o, one after the other. A long
// list takes no memory in ndjson, tsv and table, whose columns are as wide as the first records
// need. Call Close at the end.
type Printer[T any] struct {
	columns []Column[T] // those to show
	fields  []string    // of --fields; nil for all
	cells   func(cells []string) error
	value   func(any) error
	end     func() error
	flush   func() error
	cut     func() error
}

// NewPrinter prints a list: an array in JSON.
func NewPrinter[T any](a *App, columns ...Column[T]) (*Printer[T], error) {
	return newPrinter(a, columns, true)
}

// PrintOne prints one record: an object in JSON.
func PrintOne[T any](a *App, record T, columns ...Column[T]) error {
	p, err := newPrinter(a, columns, false)
	if err != nil {
		return err
	}
	if err := p.Print(record); err != nil {
		return err
	}
	return p.Close()
}

func newPrinter[T any](a *App, columns []Column[T], list bool) (*Printer[T], error) {
	p := &Printer[T]{columns: columns, fields: a.Flags.Fields}
	if p.fields != nil {
		chosen, err := choose(columns, p.fields)
		if err != nil {
			return nil, err
		}
		p.columns = chosen
	}
	out := newOutput(a)
	p.flush, p.cut = out.flush, out.flush
	switch a.Flags.Output {
	case TSV:
		t := &tsv{output: out, titles: titles(p.columns, func(c Column[T]) string { return c.Field })}
		p.cells, p.end, p.flush = t.row, t.close, t.close
		return p, nil
	case JSON, NDJSON:
		program, err := compileJQ(a.Flags.JQ)
		if err != nil {
			return nil, err
		}
		j := &jsonOutput{output: out, list: list, program: program}
		p.value, p.end = j.array, j.closeArray
		if a.Flags.Output == NDJSON || !list {
			p.value, p.end = j.line, out.flush
		}
		return p, nil
	default:
		t := &table{output: out, bold: func(text string) string { return a.paint(a.Out, bold, text) }}
		t.titles = titles(p.columns, func(c Column[T]) string { return c.Title })
		p.cells, p.end, p.flush, p.cut = t.row, t.close, t.close, t.cut
		return p, nil
	}
}

func titles[T any](columns []Column[T], of func(Column[T]) string) []string {
	all := make([]string, len(columns))
	for i, column := range columns {
		all[i] = of(column)
	}
	return all
}

// Print writes a record.
func (p *Printer[T]) Print(record T) error {
	if p.value != nil && p.fields == nil {
		return p.value(record)
	}
	var object any
	if p.value != nil || needsObject(p.columns) {
		var err error
		if object, err = decode(record); err != nil {
			return err
		}
	}
	if p.value != nil {
		return p.value(restrict(object, p.fields))
	}
	cells := make([]string, len(p.columns))
	for i, column := range p.columns {
		if column.Text != nil {
			cells[i] = column.Text(record)
		} else {
			cells[i] = scalar(lookup(object, column.Field))
		}
	}
	return p.cells(cells)
}

// Flush writes what has been printed so far, for a list that grows while a person watches. A table
// has its widths from then on.
func (p *Printer[T]) Flush() error { return p.flush() }

// Close writes what is left.
func (p *Printer[T]) Close() error { return p.end() }

// Cut writes what is left of a list that is not complete, instead of Close. A program must not take
// it for a whole one: an array in JSON has no end then, and no program of --jq runs.
func (p *Printer[T]) Cut() error { return p.cut() }

// PrintText writes a text to stdout as it is, whatever the format of -o.
func PrintText(a *App, text []byte) error {
	out := newOutput(a)
	if err := out.write(text); err != nil {
		return err
	}
	return out.flush()
}
