package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"syscall"
)

// A Column is one field of a record as people see it.
type Column[T any] struct {
	Field string         // its name in JSON, which --fields takes
	Title string         // the head of its column
	Text  func(T) string // nil shows the value of the field
}

// A Printer writes records of one kind to stdout in the format of -o, one after the other. A long list takes no memory in ndjson,
// tsv and table, whose columns are as wide as the first records need. Call Close at the end.
type Printer[T any] struct {
	columns []Column[T] // those to show
	fields  []string    // of --fields; nil for all
	cells   func(cells []string) error
	value   func(any) error
	end     func() error
	flush   func() error
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
	p.flush = out.flush
	switch a.Flags.Output {
	case TSV:
		p.cells, p.end = out.tsv, out.flush
		return p, p.cells(titles(p.columns, func(c Column[T]) string { return c.Field }))
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
		p.cells, p.end, p.flush = t.row, t.close, t.close
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

// PrintText writes a text to stdout as it is, whatever the format of -o.
func PrintText(a *App, text []byte) error {
	out := newOutput(a)
	if err := out.write(text); err != nil {
		return err
	}
	return out.flush()
}

// errBrokenPipe ends a command quietly: whoever reads its output has seen enough.
var errBrokenPipe = errors.New("the reader of stdout went away")

// output is stdout, buffered unless a person waits for it.
type output struct {
	w    *bufio.Writer
	live bool
}

func newOutput(a *App) *output {
	return &output{w: bufio.NewWriterSize(a.Out, 32<<10), live: a.OutIsTerminal()}
}

func (o *output) write(data []byte) error {
	_, err := o.w.Write(data)
	if err == nil && o.live {
		err = o.w.Flush()
	}
	return PipeError(err)
}

func (o *output) flush() error { return PipeError(o.w.Flush()) }

// PipeError is the error of writing to stdout, such that the command ends quietly if the reader
// went away.
func PipeError(err error) error {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return errBrokenPipe
	}
	return err
}

// jsonOutput writes values as JSON, through the program of --jq if there is one.
type jsonOutput struct {
	*output
	list    bool
	program *jq
	values  []any // of a list that a program wants as a whole
	open    bool
}

// line writes one value on a line of its own.
func (j *jsonOutput) line(value any) error {
	if j.program == nil {
		return j.encode(value)
	}
	return j.program.run(value, j.encode)
}

func (j *jsonOutput) encode(value any) error {
	text, err := marshal(value)
	if err != nil {
		return err
	}
	return j.write(append(text, '\n'))
}

// array writes one element of an array.
func (j *jsonOutput) array(value any) error {
	if j.program != nil {
		j.values = append(j.values, value)
		return nil
	}
	text, err := marshal(value)
	if err != nil {
		return err
	}
	before := "[\n"
	if j.open {
		before = ",\n"
	}
	j.open = true
	return j.write(append([]byte(before), text...))
}

func (j *jsonOutput) closeArray() error {
	switch {
	case j.program != nil:
		if j.values == nil {
			j.values = []any{}
		}
		if err := j.program.run(j.values, j.encode); err != nil {
			return err
		}
	case j.open:
		if err := j.write([]byte("\n]\n")); err != nil {
			return err
		}
	default:
		if err := j.write([]byte("[]\n")); err != nil {
			return err
		}
	}
	return j.flush()
}

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
