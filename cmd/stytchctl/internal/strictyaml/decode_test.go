package strictyaml_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/strictyaml"
)

type file struct {
	Name    string         `json:"name"`
	Count   int            `json:"count"`
	On      *bool          `json:"on"`
	Items   []item         `json:"items"`
	Data    map[string]any `json:"data"`
	Special special        `json:"special"`
}

type item struct {
	Line strictyaml.Line
	ID   string   `json:"id"`
	Tags []string `json:"tags,omitempty"`
}

type special struct{ text string }

func (s *special) UnmarshalJSON(text []byte) error {
	if string(text) == `"bad"` {
		return errors.New("bad is not allowed")
	}
	s.text = string(text)
	return nil
}

func TestDecode(t *testing.T) {
	var got file
	err := strictyaml.Decode("f.yaml", []byte(`
name: "12"
count: 3
on: false
items:
  - &one {id: a, tags: [x, "1"]}
  - *one
data: {n: 1.50, deep: {list: [1, null, true]}, day: 2030-01-01}
special: {a: 1}
`), &got)
	if err != nil {
		t.Fatal(err)
	}
	off := false
	want := file{
		Name: "12", Count: 3, On: &off, Items: []item{{6, "a", []string{"x", "1"}}, {6, "a", []string{"x", "1"}}},
		Data: map[string]any{
			"n": json.Number("1.50"), "deep": map[string]any{"list": []any{json.Number("1"), nil, true}}, "day": "2030-01-01",
		},
		Special: special{`{"a":1}`},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v\nwant %#v", got, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	bomb := "data:\n  a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 'b'; i < 'i'; i++ {
		bomb += "  " + string(i) + ": &" + string(i) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(i-1)+", ", 10), ", ") + "]\n"
	}
	for text, want := range map[string]string{
		"nmae: x":                      `f.yaml:1: unknown key "nmae": did you mean "name"? The keys are name, count, on, items, data, special.`,
		"items:\n  - id: a\n    tgas:": `f.yaml:3: items[0]: unknown key "tgas": did you mean "tags"? The keys are id, tags.`,
		"name: 12":                     `f.yaml:1: name: it must be a text, and is a number: put it in quotes`,
		"name: [a]":                    `f.yaml:1: name: it must be a text, and is a list`,
		"count: many":                  `f.yaml:1: count: it must be a whole number, and is a text`,
		"count: 0x10":                  `f.yaml:1: count: it must be a whole number, written in decimal`,
		"on: yes please":               `f.yaml:1: on: it must be true or false, and is a text`,
		"items: {id: a}":               `f.yaml:1: items: it must be a list, and is a mapping`,
		"items: [a]":                   `f.yaml:1: items[0]: it must be a mapping, and is a text`,
		"items: [{tags: [a, ~]}]":      `f.yaml:1: items[0].tags[1]: it is empty: remove it, or give it a value`,
		"items: [{tags: [a, 1]}]":      `f.yaml:1: items[0].tags[1]: it must be a text, and is a number: put it in quotes`,
		"data: 1":                      `f.yaml:1: data: it must be a mapping, and is a number`,
		"data: {a: .inf}":              `f.yaml:1: data.a: the number must be written as in JSON`,
		"data: {a: !!binary aGk=}":     `f.yaml:1: data.a: it must be a text, a number, true or false, a list or a mapping`,
		"name: a\nname: b":             `f.yaml:2: the key "name" is in line 1 already`,
		"special: bad":                 `f.yaml:1: special: bad is not allowed`,
		"name: a\n---\nname: b":        `f.yaml:2: a second document begins here: the file must have one`,
		"name: [":                      `f.yaml:1: this is not YAML: did not find expected node content`,
		"[a]: b":                       `f.yaml:1: a key must be a text`,
		"a":                            `f.yaml:1: it must be a mapping, and is a text`,
		"data: &d {a: *d}":             `f.yaml:1: data.a.a`,
		bomb:                           `the file expands to more than 1000000 values`,
	} {
		err := strictyaml.Decode("f.yaml", []byte(text), new(file))
		var located *strictyaml.Error
		if !errors.As(err, &located) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %.200v\nwant %s", text, err, want)
		}
	}
}

func TestDecodeNothing(t *testing.T) {
	for _, text := range []string{"", "# only a comment\n", "---\n"} {
		if err := strictyaml.Decode("f.yaml", []byte(text), new(file)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: a\nitems: [{id: b, tags: [c]}]\ndata: {x: &x [1], y: *x}\nspecial: 1"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("? - a\n: b"))
	f.Add([]byte("<<: {name: a}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var got file
		if err := strictyaml.Decode("f.yaml", text, &got); err != nil {
			var located *strictyaml.Error
			if !errors.As(err, &located) {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		if _, err := json.Marshal(got.Data); err != nil {
			t.Fatalf("accepted what JSON cannot hold: %v", err)
		}
	})
}
