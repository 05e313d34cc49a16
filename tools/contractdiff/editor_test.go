package main

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func working(t testing.TB) loaded {
	t.Helper()
	v, err := tree{"../.."}.working()
	if err != nil {
		t.Fatal(err)
	}
	l, err := v.load()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// An editor changes a decoded contract. Its paths are those of changes.
type editor struct {
	t        testing.TB
	document object
	code     surface
}

func open(t testing.TB, l loaded) *editor {
	t.Helper()
	return &editor{t, clone(l.document).(object), maps.Clone(l.code)}
}

// parent finds the object that holds the last element of a path.
func (e *editor) parent(path string) (parent object, last string) {
	e.t.Helper()
	elements := strings.Split(path, " ")
	var at any = e.document
	for _, name := range elements[:len(elements)-1] {
		if index, isIndex := strings.CutPrefix(name, "["); isIndex {
			i, _ := strconv.Atoi(strings.TrimSuffix(index, "]"))
			at = at.([]any)[i]
			continue
		}
		at = at.(object)[name]
	}
	parent, ok := at.(object)
	if !ok {
		e.t.Fatalf("%s: there is no such part", path)
	}
	return parent, elements[len(elements)-1]
}

func (e *editor) get(path string) any {
	e.t.Helper()
	parent, last := e.parent(path)
	value, ok := parent[last]
	if !ok {
		e.t.Fatalf("%s: there is no such part", path)
	}
	return value
}

// set changes a value. It fails if that changes nothing.
func (e *editor) set(path string, value any) {
	e.t.Helper()
	parent, last := e.parent(path)
	if reflect.DeepEqual(parent[last], value) {
		e.t.Fatalf("%s: is %v already", path, value)
	}
	parent[last] = value
}

func (e *editor) remove(path string) {
	e.t.Helper()
	e.get(path)
	parent, last := e.parent(path)
	delete(parent, last)
}

func (e *editor) rename(path, name string) {
	e.t.Helper()
	value := e.get(path)
	parent, last := e.parent(path)
	delete(parent, last)
	parent[name] = value
}

func (e *editor) copy(path string) any { return clone(e.get(path)) }

func clone(value any) any {
	switch v := value.(type) {
	case object:
		out := object{}
		for key, member := range v {
			out[key] = clone(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = clone(item)
		}
		return out
	}
	return value
}

// append adds to a list, which may be absent.
func (e *editor) append(path string, item any) {
	e.t.Helper()
	parent, last := e.parent(path)
	items, _ := parent[last].([]any)
	parent[last] = append(slices.Clip(items), item)
}

func (e *editor) removeItem(path string, i int) {
	e.t.Helper()
	parent, last := e.parent(path)
	parent[last] = slices.Delete(slices.Clone(e.get(path).([]any)), i, i+1)
}

func (e *editor) drop(path string, item any) {
	e.t.Helper()
	e.removeItem(path, slices.Index(e.get(path).([]any), item))
}

func (e *editor) reverse(path string) {
	e.t.Helper()
	slices.Reverse(e.get(path).([]any))
}

// generated changes what is declared under a name in the generated code. An empty declaration
// removes it.
func (e *editor) generated(name, declaration string) {
	e.t.Helper()
	if was, there := e.code[name]; there && was == declaration {
		e.t.Fatalf("%s is %s already", name, was)
	}
	if declaration == "" {
		if e.code[name] == "" {
			e.t.Fatalf("%s: there is no such name", name)
		}
		delete(e.code, name)
		return
	}
	e.code[name] = declaration
}
