package cli

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
