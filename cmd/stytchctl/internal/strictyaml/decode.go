// Package strictyaml reads YAML files that people write. A key that is not known, a value of
// another type and a second document are errors, each with its line; the nearest known key is
// named. What aliases expand to is bounded.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds what aliases can make of a small file.
const maxNodes = 1_000_000

// maxDepth is deeper than any file that people write.
const maxDepth = 64

// A Line is a field that gets the line on which its struct begins.
type Line int

// An Error is a place in a file and what is wrong there.
type Error struct {
	File string
	Line int
	Path string // such as m2m_clients[0].scopes; "" for the whole file
	Err  error
}

func (e *Error) Error() string {
	place := e.File
	if e.Line > 0 {
		place = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Path != "" {
		place += ": " + e.Path
	}
	return place + ": " + e.Err.Error()
}

// Unwrap is what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// Decode reads one document into a pointer to a struct. The names of fields are those of their json
// tags. A value that is absent or null leaves its field alone. A type with UnmarshalJSON gets the
// value as JSON.
func Decode(file string, data []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil // nothing but comments
	case err != nil:
		return syntaxError(file, err)
	}
	r := reader{file: file}
	if err := r.end(decoder); err != nil {
		return err
	}
	return r.value(document.Content[0], reflect.ValueOf(into).Elem(), "", 0)
}

// end wants no second document.
func (r *reader) end(decoder *yaml.Decoder) error {
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return syntaxError(r.file, err)
	}
	return r.fail(&second, "", "a second document begins here: the file must have one")
}

var syntax = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)

// syntaxError takes the line out of an error of the parser.
func syntaxError(file string, err error) error {
	e := &Error{File: file, Err: err}
	if m := syntax.FindStringSubmatch(err.Error()); m != nil {
		_, _ = fmt.Sscan(m[1], &e.Line) // no line is line 0
		e.Err = errors.New("this is not YAML: " + m[2])
	}
	return e
}

// A reader decodes the nodes of one file.
type reader struct {
	file  string
	nodes int
}

func (r *reader) fail(n *yaml.Node, path, format string, args ...any) error {
	return &Error{File: r.file, Line: n.Line, Path: path, Err: fmt.Errorf(format, args...)}
}

// enter counts a node and follows an alias.
func (r *reader) enter(n *yaml.Node, path string, depth int) (*yaml.Node, error) {
	if r.nodes++; r.nodes > maxNodes {
		return nil, r.fail(n, path, "the file expands to more than %d values", maxNodes)
	}
	if depth > maxDepth {
		return nil, r.fail(n, path, "it is nested deeper than %d levels", maxDepth)
	}
	if n.Kind == yaml.AliasNode {
		return n.Alias, nil
	}
	return n, nil
}

// kind is what a value is called in an error.
func kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!str":
		return "a text"
	case n.Tag == "!!int" || n.Tag == "!!float":
		return "a number"
	case n.Tag == "!!bool":
		return "true or false"
	}
	return "of type " + strings.TrimPrefix(n.Tag, "!!")
}
