package cli

import (
	"github.com/itchyny/gojq"
)

// A jq is the program of --jq.
type jq struct{ code *gojq.Code }

func compileJQ(expression string) (*jq, error) {
	if expression == "" {
		return nil, nil
	}
	query, err := gojq.Parse(expression)
	if err != nil {
		return nil, Usagef("--jq: %w", err)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, Usagef("--jq: %w", err)
	}
	return &jq{code}, nil
}

// run passes a value through the program, and each result to write.
func (p *jq) run(value any, write func(any) error) error {
	input, err := decode(value)
	if err != nil {
		return err
	}
	results := p.code.Run(input)
	for {
		result, ok := results.Next()
		if !ok {
			return nil
		}
		if err, ok := result.(error); ok {
			return Usagef("--jq: %w", err)
		}
		if err := write(result); err != nil {
			return err
		}
	}
}
