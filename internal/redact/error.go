package redact

import "errors"

// Error returns err if neither its text nor that of an error inside it holds a secret. Otherwise it
// returns an error with the cleaned text, for which errors.Is still finds what it found for err,
// but which cannot be unwrapped.
func (r *Redactor) Error(err error) error {
	if err == nil || r.find(textsOf(err, nil)...) == nil {
		return err
	}
	return &redacted{r.Text(err.Error()), func(target error) bool { return errors.Is(err, target) }}
}

// textsOf appends the texts of err and of all errors inside it.
func textsOf(err error, texts []string) []string {
	if err == nil {
		return texts
	}
	texts = append(texts, err.Error())
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return textsOf(e.Unwrap(), texts)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			texts = textsOf(inner, texts)
		}
	}
	return texts
}

// redacted keeps the original in a closure, which neither fmt nor reflection looks into.
type redacted struct {
	text string
	is   func(target error) bool
}

func (e *redacted) Error() string        { return e.text }
func (e *redacted) Is(target error) bool { return e.is(target) }
