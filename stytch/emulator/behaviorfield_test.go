package emulator_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/emulator"
)

// setting is a Behavior with one field set, from the text that BehaviorField lists.
func setting(t *testing.T, f emulator.BehaviorField, text string) emulator.Behavior {
	t.Helper()
	value := text
	if f.Type == "string" {
		value = strconv.Quote(text)
	}
	dec := json.NewDecoder(strings.NewReader(fmt.Sprintf(`{%q:%s}`, f.Name, value)))
	dec.DisallowUnknownFields()
	var b emulator.Behavior
	if err := dec.Decode(&b); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return b
}

// Each field is listed with its key and default, each listed value is accepted, and others are not.
func TestBehaviors(t *testing.T) {
	e := opened(t)
	fields := emulator.Behaviors()
	structure := reflect.TypeFor[emulator.Behavior]()
	if len(fields) != structure.NumField() {
		t.Fatalf("%d fields, want %d", len(fields), structure.NumField())
	}
	current := reflect.ValueOf(e.Behavior())
	comments := fieldComments(t)
	for i, f := range fields {
		goField := structure.Field(i)
		if f.Name != goField.Tag.Get("json") || f.Name == "" || f.Description == "" {
			t.Errorf("%s: name %q, description %q", goField.Name, f.Name, f.Description)
		}
		if got := fmt.Sprint(current.Field(i)); got != f.Default {
			t.Errorf("%s: the default is %q, listed %q", f.Name, got, f.Default)
		}
		if !slices.Contains([]string{"documented", "observed", "assumed"}, f.Certainty) {
			t.Errorf("%s: certainty %q", f.Name, f.Certainty)
		}
		good, bad := f.Values, []string{}
		switch {
		case len(f.Values) > 0 && f.Type == "boolean":
		case len(f.Values) > 0 && f.Type == "integer":
			bad = []string{"1", "-1", "999"}
		case len(f.Values) > 0:
			bad = []string{"x", strings.ToUpper(f.Values[0])}
		case f.Type == "integer":
			good, bad = []string{strconv.Itoa(max(f.Minimum, 1)), f.Default}, []string{"-1"}
			if f.Maximum > 0 {
				good, bad = append(good, strconv.Itoa(f.Maximum)), append(bad, strconv.Itoa(f.Maximum+1), strconv.Itoa(f.Minimum-1))
			}
		default:
			good = []string{"any text"}
		}
		for _, text := range good {
			b := setting(t, f, text)
			if err := e.SetBehavior(b); err != nil {
				t.Errorf("%s %s: %v", f.Name, text, err)
			}
			if got := fmt.Sprint(reflect.ValueOf(e.Behavior()).Field(i)); got != text {
				t.Errorf("%s is %s, want %s", f.Name, got, text)
			}
		}
		before := e.Behavior()
		for _, text := range bad {
			err := e.SetBehavior(setting(t, f, text))
			if !errors.Is(err, emulator.ErrInvalidArgument) || !strings.Contains(err.Error(), "Behavior."+goField.Name+" does not accept") {
				t.Errorf("%s %s: %v", f.Name, text, err)
			}
		}
		if e.Behavior() != before {
			t.Errorf("%s: a refused value changed the behavior", f.Name)
		}
		for _, value := range f.Values {
			if f.Type != "boolean" && !strings.Contains(strings.ToLower(comments[goField.Name]), value) {
				t.Errorf("the comment of Behavior.%s leaves out %s", goField.Name, value)
			}
		}
	}
}

// fieldComments are the comments of the fields of Behavior.
func fieldComments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "behavior.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	comments := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && len(f.Names) == 1 {
			comments[f.Names[0].Name] = f.Doc.Text() + f.Comment.Text()
		}
		return true
	})
	return comments
}

// The next request finds the new behavior, and a restart finds it as well.
func TestSetBehavior(t *testing.T) {
	m := &memory{}
	e := opened(t, emulator.WithStorage(m), emulator.WithBehavior(emulator.Behavior{SecretLength: 50}))
	if status, _ := e.send("POST", clients, `{"scopes":[]}`); status != 200 {
		t.Errorf("status %d", status)
	}
	b := e.Behavior()
	b.CreateStatus = 201
	if err := e.SetBehavior(b); err != nil {
		t.Fatal(err)
	}
	e = opened(t, emulator.WithStorage(m), emulator.WithBehavior(emulator.Behavior{SecretLength: 60}))
	status, body := e.send("POST", clients, `{"scopes":[]}`)
	if status != 201 || e.Behavior() != b || b.SecretLength != 50 {
		t.Errorf("status %d, %+v", status, e.Behavior())
	}
	_, secret, _ := bytes.Cut([]byte(body), []byte(`"client_secret":"`))
	if len(secret) < 50 || secret[50] != '"' {
		t.Error("the length of a secret is not that of the stored behavior")
	}
}
