package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

// A File is what an import reads.
type File struct {
	Entries []Entry
	Skipped []Skipped      // entries that are not to be imported
	Ignored map[string]int // fields of a foreign format that have no place in Stytch, and how often
	Foreign bool           // it is Auth0's export
}

// Skipped is an entry of a file that is no machine identity.
type Skipped struct {
	Line  int
	ID    string
	Name  string
	Cause string
}

// ReadFile reads an export of stytchctl, one object on each line or an array of them, or Auth0's:
// an array of clients as its Management API returns them. name is for errors.
func ReadFile(name string, data []byte, k *Kind) (*File, error) {
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	objects, err := readObjects(name, text)
	if err != nil {
		return nil, err
	}
	file := &File{Ignored: map[string]int{}}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) && !slices.ContainsFunc(objects, isOwn) {
		if k != Clients {
			return nil, cli.Usagef("%s: Auth0's export has M2M clients only: use stytchctl clients import. %s", name, nothing)
		}
		file.Foreign = true
		err = file.readAuth0(name, objects)
	} else {
		err = file.readOwn(name, objects, k)
	}
	if err != nil {
		return nil, err
	}
	return file, file.checkUnique(name, k)
}

const nothing = "Nothing was created."

// numbered is an object of a file and the line where it begins.
type numbered struct {
	Object
	line int
}

func isOwn(n numbered) bool {
	foreign := n.Object["name"] != nil || n.Object["app_type"] != nil || n.Object["grant_types"] != nil
	return n.Object["kind"] != nil || n.Object[fieldName] != nil || n.Object[fieldScopes] != nil && !foreign
}

// readObjects reads objects one after the other, or in an array.
func readObjects(name string, text []byte) (objects []numbered, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	array := bytes.HasPrefix(bytes.TrimSpace(text), []byte("["))
	if array {
		_, _ = decoder.Token() // the bracket
	}
	last, line := 0, 1
	for !array || decoder.More() {
		start := int(decoder.InputOffset())
		for start < len(text) && strings.IndexByte(" \t\r\n,", text[start]) >= 0 {
			start++
		}
		line += bytes.Count(text[last:start], []byte("\n"))
		last = start
		var object Object
		switch err := decoder.Decode(&object); {
		case errors.Is(err, io.EOF) && !array:
			return objects, nil
		case err != nil:
			return nil, cli.Usagef("%s:%d: this is not a JSON object: %w. %s", name, line, plain(err), nothing)
		case object == nil:
			return nil, cli.Usagef("%s:%d: this is null instead of an object. %s", name, line, nothing)
		}
		objects = append(objects, numbered{object, line})
	}
	if _, err := decoder.Token(); err != nil {
		return nil, cli.Usagef("%s: the array does not end. %s", name, nothing)
	}
	if rest := bytes.TrimSpace(text[decoder.InputOffset():]); len(rest) > 0 {
		return nil, cli.Usagef("%s: something follows the array. %s", name, nothing)
	}
	return objects, nil
}

// plain is an error of encoding/json without names of Go.
func plain(err error) error {
	var other *json.UnmarshalTypeError
	if errors.As(err, &other) {
		return errors.New("it is of type " + other.Value)
	}
	return err
}

func (f *File) readOwn(name string, objects []numbered, k *Kind) error {
	for _, o := range objects {
		kind := o.Text("kind")
		if kind != "" && kind != k.Name {
			for _, other := range Kinds {
				if kind == other.Name {
					return cli.Usagef("%s:%d: this is a %s: use stytchctl %s import. %s", name, o.line, kind, other.Group, nothing)
				}
			}
			return cli.Usagef("%s:%d: kind %q is not %s. %s", name, o.line, kind, k.Name, nothing)
		}
		e, err := k.Parse(o.Object)
		if err == nil {
			err = e.CheckCreate()
		}
		if err != nil {
			return cli.Usagef("%s:%d: %w. %s", name, o.line, err, nothing)
		}
		e.Line = o.line
		f.Entries = append(f.Entries, e)
	}
	return nil
}

// CheckCreate refuses an entry that could not be created.
func (e Entry) CheckCreate() error {
	switch {
	case e.Kind == Clients && len(e.Fields.Texts(fieldScopes)) == 0:
		return cli.Usagef("it has no scopes, and a client needs at least one")
	case e.Kind == Apps && e.Fields.Text(fieldType) == "":
		return cli.Usagef("it has no client_type")
	case e.Kind == Apps && e.Name() == "":
		return cli.Usagef("it has no client_name, by which a second import finds it: the id of an app cannot be chosen")
	}
	return nil
}

// Key is what an entry is found by: its id, or its name where the id cannot be chosen or is
// missing.
func (e Entry) Key() string {
	if e.ByName() {
		return "name:" + e.Name()
	}
	return e.ID
}

// ByName reports whether the project gives the id.
func (e Entry) ByName() bool { return e.ID == "" || e.Kind == Apps }

func (f *File) checkUnique(name string, k *Kind) error {
	lines := map[string]int{}
	for _, e := range f.Entries {
		keys := []string{e.Key()}
		if e.ID != "" && e.ByName() {
			keys = append(keys, e.ID)
		}
		for _, key := range keys {
			if first, twice := lines[key]; twice {
				what, isName := strings.CutPrefix(key, "name:")
				if isName {
					what = fmt.Sprintf("the %s name %q", k.Noun, what)
				}
				return cli.Usagef("%s:%d: %s is in line %d already. %s", name, e.Line, what, first, nothing)
			}
			lines[key] = e.Line
		}
	}
	return nil
}
