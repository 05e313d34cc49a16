package stytch_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"log/slog"
	"net/http"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/gen"
	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/secret"
)

// A printer is a way in which values end up where people read them.
type printer struct {
	name  string
	print func(v any) string
}

func printers() []printer {
	var all []printer
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%60v"} {
		all = append(all, printer{format, func(v any) string { return fmt.Sprintf(format, v) }})
	}
	logged := func(handler func(*bytes.Buffer) slog.Handler) func(any) string {
		return func(v any) string {
			var buf bytes.Buffer
			l := slog.New(handler(&buf))
			l.Info("direct", "value", v)
			l.With("bound", v).WithGroup("group").Info("grouped", slog.Group("inner", slog.Any("value", v)))
			return buf.String()
		}
	}
	return append(all,
		printer{"log", func(v any) string {
			var buf bytes.Buffer
			log.New(&buf, "", 0).Println("got", v)
			return buf.String()
		}},
		printer{"fmt.Errorf", func(v any) string { return fmt.Errorf("failed with %v", v).Error() }},
		printer{"slog text", logged(func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) })},
		printer{"slog JSON", logged(func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) })},
		printer{"encoding/json", func(v any) string { out, err := json.Marshal(v); return fmt.Sprint(string(out), err) }},
		printer{"encoding/xml", func(v any) string { out, err := xml.Marshal(v); return fmt.Sprint(string(out), err) }},
		printer{"reflection", func(v any) string {
			d := dumper{seen: map[visit]bool{}}
			d.dump(reflect.ValueOf(v))
			return d.String()
		}},
		printer{"panic", func(v any) (out string) {
			defer func() { out = fmt.Sprintf("panic: %v\n%s", recover(), debug.Stack()) }()
			panic(v)
		}},
	)
}

// A dumper prints all that reflection reaches, as spew and test frameworks do: pointers followed,
// unexported fields read, no method called.
type dumper struct {
	strings.Builder
	seen map[visit]bool
}

type visit struct {
	address uintptr
	typ     reflect.Type
}

func (d *dumper) dump(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		key := visit{v.Pointer(), v.Type()}
		if !v.IsNil() && !d.seen[key] {
			d.seen[key] = true
			d.dump(v.Elem())
		}
	case reflect.Interface:
		d.dump(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			d.dump(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			d.Write(v.Bytes())
			d.WriteByte(' ')
			return
		}
		for i := range v.Len() {
			d.dump(v.Index(i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			d.dump(it.Key())
			d.dump(it.Value())
		}
	case reflect.String:
		d.WriteString(v.String() + " ")
	case reflect.Invalid:
	default:
		fmt.Fprint(d, v, " ")
	}
}

// A canary is a secret that can be recognized: upper case, so that neither addresses nor names look
// like it.
type canary string

func newCanary() canary { return canary(rand.Text()) }

// in reports whether 15 characters of the canary in a row are in a text, plain or in one of the
// encodings that printers use.
func (c canary) in(text string) bool { return firstIn(text, []canary{c}) == 0 }

// traces are the texts that betray a canary.
func (c canary) traces() (all []string) {
	for i := 0; i+8 <= len(c); i += 8 {
		part := c[i : i+8]
		all = append(all, string(part), hex.EncodeToString([]byte(part)), strings.ToUpper(hex.EncodeToString([]byte(part))),
			fmt.Sprintf("% x", string(part)), strings.Trim(fmt.Sprint([]byte(part)), "[]")) // the last one is %v of a []byte
	}
	for shift := range 3 { // in base64, whatever comes before it
		all = append(all, base64.StdEncoding.EncodeToString([]byte(c[shift:]))[4:24])
	}
	return all
}

// firstIn is the index of a canary that is in a text, or -1. It looks up every 8 bytes of the text,
// so that many canaries cost as much as one.
func firstIn(text string, canaries []canary) int {
	type trace struct {
		text  string
		index int
	}
	traces := map[string][]trace{}
	for i, c := range canaries {
		for _, text := range c.traces() {
			traces[text[:8]] = append(traces[text[:8]], trace{text, i})
		}
	}
	for i := 0; i+8 <= len(text); i++ {
		for _, t := range traces[text[i:i+8]] {
			if strings.HasPrefix(text[i:], t.text) {
				return t.index
			}
		}
	}
	return -1
}

// fill puts a value everywhere in v, the canary wherever the type says that there is a secret.
func fill(v reflect.Value, c canary) {
	switch v.Type() {
	case reflect.TypeFor[secret.String]():
		v.Set(reflect.ValueOf(secret.New(string(c))))
		return
	case reflect.TypeFor[secret.Outgoing]():
		v.Set(reflect.ValueOf(secret.Outgoing(secret.New(string(c)))))
		return
	case reflect.TypeFor[stytch.Metadata](), reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte(`{"plan":"pro"}`))
		return
	case reflect.TypeFor[*http.Response](), reflect.TypeFor[http.Header]():
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), c)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), c)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), c)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if key.Kind() == reflect.Bool {
			key.SetBool(true) // a nullable.Nullable with a value
		}
		fill(value, c)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("text")
	}
}

// exportedTypes finds every exported type that is reached from roots by fields, elements and the
// signatures of methods and functions, in the two packages.
func exportedTypes(roots ...reflect.Type) map[string]reflect.Type {
	found, seen := map[string]reflect.Type{}, map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		if seen[t] {
			return
		}
		seen[t] = true
		ours := strings.HasSuffix(t.PkgPath(), "/m2m/gen") || strings.HasSuffix(t.PkgPath(), "/m2m/stytch")
		if ours && t.Kind() == reflect.Struct {
			name, _, _ := strings.Cut(t.String(), "[")
			found[name] = t
		}
		if ours || t.PkgPath() == "" {
			for _, with := range []reflect.Type{t, reflect.PointerTo(t)} {
				for i := range with.NumMethod() {
					walk(with.Method(i).Type)
				}
			}
		}
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(t.Elem())
		case reflect.Map:
			walk(t.Key())
			walk(t.Elem())
		case reflect.Func:
			for i := range t.NumIn() {
				walk(t.In(i))
			}
			for i := range t.NumOut() {
				walk(t.Out(i))
			}
		case reflect.Struct:
			for i := 0; ours && i < t.NumField(); i++ {
				walk(t.Field(i).Type)
			}
		}
	}
	for _, root := range roots {
		walk(root)
	}
	return found
}

// allTypes is every exported struct type of stytch and gen. It fails if the source has one that no
// root leads to.
func allTypes(t *testing.T) map[string]reflect.Type {
	t.Helper()
	types := exportedTypes(reflect.TypeFor[*stytch.Client](), reflect.TypeFor[*gen.ClientWithResponses](), reflect.TypeFor[*gen.Client](),
		reflect.TypeFor[stytch.Error](), reflect.TypeFor[stytch.ConflictError](), reflect.TypeFor[stytch.Attempt](), reflect.TypeFor[stytch.Response](), reflect.TypeFor[stytch.Retry](), reflect.TypeFor[stytch.M2MCondition](),
		reflect.TypeFor[gen.ConnectedAppFields]())
	for _, pattern := range []string{"*.go", "../gen/*.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no source at %s: %v", pattern, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, decl := range file.Decls {
				decl, ok := decl.(*ast.GenDecl)
				if !ok {
					continue
				}
				for _, spec := range decl.Specs {
					spec, ok := spec.(*ast.TypeSpec)
					if !ok || !spec.Name.IsExported() {
						continue
					}
					name := file.Name.Name + "." + spec.Name.Name
					if _, isStruct := spec.Type.(*ast.StructType); isStruct && types[name] == nil {
						t.Errorf("%s is not covered: add reflect.TypeFor[%s]() to the roots", name, name)
					}
				}
			}
		}
	}
	return types
}

// TestNoTypePrintsASecret prints every exported type, filled with a secret wherever it can hold
// one, alone and inside of others, in every way. The raw Body of the results of gen is left out:
// see TestResultsPrintNoBody there.
func TestNoTypePrintsASecret(t *testing.T) {
	c := newCanary()
	const onTheWire = "gen.CreateM2MClientRequest" // encoding/json writes it as it goes to Stytch: the one exception
	withSecret := 0
	for name, typ := range allTypes(t) {
		if name == "stytch.Client" {
			continue // see TestClientPrintsNoSecret
		}
		value := reflect.New(typ)
		fill(value.Elem(), c)
		if revealed(value.Elem(), c) {
			withSecret++
		}
		v := value.Elem().Interface()
		for _, in := range []struct {
			how   string
			value any
			alone bool
		}{
			{"value", v, true},
			{"pointer", value.Interface(), true},
			{"slice", []any{v}, false},
			{"map", map[string]any{"k": v}, false},
			{"field", struct{ Inside any }{v}, false},
			{"unexported field", struct{ inside any }{v}, true},
		} {
			for _, p := range printers() {
				want := false
				if name == onTheWire && in.how != "unexported field" {
					want = p.name == "encoding/json" || p.name == "slog JSON" && !in.alone
				}
				// The output is not shown: it may hold what it should not.
				if out := p.print(in.value); c.in(out) != want {
					t.Errorf("%s as %s, printed by %s: secret revealed = %t, want %t", name, in.how, p.name, !want, want)
				} else if strings.Contains(out, "PANIC=") {
					t.Errorf("%s as %s, printed by %s: a method panicked", name, in.how, p.name)
				}
			}
		}
	}
	if withSecret < 10 {
		t.Errorf("only %d types were given a secret: the test does not reach them", withSecret)
	}
}

// revealed reports whether Reveal, somewhere in v, gives the canary: the proof that fill put it
// there.
func revealed(v reflect.Value, c canary) bool {
	switch s := v.Interface().(type) {
	case secret.String:
		return s.Reveal() == string(c)
	case secret.Outgoing:
		return s.Reveal() == string(c)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && v.Elem().CanInterface() && revealed(v.Elem(), c)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanInterface() && revealed(v.Field(i), c) {
				return true
			}
		}
	}
	return false
}

// TestPrintersSee shows that the matrix can fail: every printer reveals a plain text.
func TestPrintersSee(t *testing.T) {
	c := newCanary()
	for _, p := range printers() {
		if !c.in(p.print(string(c))) && !c.in(p.print([]byte(c))) {
			t.Errorf("%s does not show a plain text", p.name)
		}
	}
	if !c.in(base64.StdEncoding.EncodeToString([]byte("project-test-1:" + string(c)))) {
		t.Error("a canary in Basic credentials is not seen")
	}
}

func TestClientPrintsNoSecret(t *testing.T) {
	c := newCanary()
	client, err := stytch.New(canaryProject, string(c), stytch.WithHTTPClient(&http.Client{Transport: inMemory{say(200, `{"status_code":200,"m2m_client":{}}`)}}))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // unused and used
		for _, v := range []any{client, client.M2M, client.ConnectedApps, client.M2M.Secrets, client.ConnectedApps.Secrets, []any{client}, struct{ inside *stytch.Client }{client}} {
			for _, p := range printers() {
				if c.in(p.print(v)) {
					t.Errorf("%T printed by %s shows the project secret", v, p.name)
				}
			}
		}
		if _, err := client.M2M.Get(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
}
