package emulator

import (
	"encoding/json"
	"reflect"
	"slices"
)

// An input reads the fields of a JSON object and keeps the first error, so that an operation reads
// all fields and then checks err once.
type input struct {
	fields map[string]json.RawMessage
	null   Choice // what null means: Clear, Ignore or Refuse
	err    error
}

// get reads one field. given says that the operation has to act on it: set it to value, or clear it
// if value is nil.
func get[T any](in *input, name string) (value *T, given bool) {
	raw, ok := in.fields[name]
	if !ok {
		return nil, false
	}
	if isNull(raw) {
		if in.null == Refuse {
			in.refuse(because("bad_request", "The field "+name+" must not be null."))
		}
		return nil, in.null == Clear
	}
	value = new(T)
	if json.Unmarshal(raw, value) != nil {
		in.refuse(because("bad_request", "The field "+name+" has the wrong type.").
			why("the field %s must be %s, and it is %s", name, wantedKind(reflect.TypeFor[T]()), jsonKind(raw)))
		return nil, false
	}
	return value, true
}

// texts reads a list of strings. The list is not nil if it is given.
func (in *input) texts(name string) (values []string, given bool) {
	items, given := get[[]*string](in, name) // pointers, because null would decode as ""
	values = []string{}
	if !given || items == nil {
		return values, given
	}
	for _, item := range *items {
		if item == nil {
			in.refuse(because("bad_request", "The field "+name+" must be a list of strings."))
			return values, false
		}
		values = append(values, *item)
	}
	return values, true
}

// refuseOthers refuses all fields but the known ones.
func (in *input) refuseOthers(known ...string) {
	for name := range in.fields {
		if !slices.Contains(known, name) {
			in.refuse(because("bad_request", "The query has a field that is not known."))
		}
	}
}

func (in *input) refuse(err error) {
	if in.err == nil {
		in.err = err
	}
}
