package secret_test

import (
	"bytes"
	"crypto/rand"
	"encoding"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/secret"
)

// plain is the control: what a secret would be without this package.
type plain string

type (
	exported[S any]   struct{ Secret S }
	unexported[S any] struct{ secret S }
	nested[S any]     struct{ Outer, outer exported[S] }
	mapped[S any]     struct{ secret map[*S]S }

	embedsString struct {
		secret.String
		Name string
	}
	embedsImport struct {
		secret.Outgoing
		Name string
	}
	embedsPlain struct {
		plain
		Text plain
	}
)

// container is a value with a secret somewhere inside. The two flags pin where an Outgoing, and
// only an Outgoing, is revealed: json is encoding/json, slog is slog's JSON handler, which hands
// everything that is no LogValuer to it.
type container struct {
	name       string
	value      any
	json, slog bool
}

func containers[S any](s S, embedded any) []container {
	return []container{
		{"value", s, true, false},
		{"pointer", &s, true, false},
		{"exported field", exported[S]{s}, true, true},
		{"pointer to struct", &exported[S]{s}, true, true},
		{"unexported field", unexported[S]{s}, false, false},
		{"slice", []S{s}, true, true},
		{"slice of pointers", []*S{&s}, true, true},
		{"array", [1]S{s}, true, true},
		{"map value", map[string]S{"k": s}, true, true},
		{"map key", map[*S]int{&s: 1}, false, false}, // a String is not hashable, a pointer to it is
		{"unexported map", mapped[S]{map[*S]S{&s: s}}, false, false},
		{"interface", exported[any]{s}, true, true},
		{"nested struct", nested[S]{exported[S]{s}, exported[S]{s}}, true, true},
		{"embedded", embedded, true, false},
	}
}

type sink struct {
	name  string
	print func(v any) string
}

func sinks() []sink {
	var all []sink
	for _, format := range []string{
		"%v", "%+v", "%#v", "%s", "%q", "%#q", "%x", "%X", "% x", "%d", "%o", "%b", "%c", "%U", "%e", "%t", "%T", "%p", "%60v", "%-60.40s", "%w",
	} {
		all = append(all, sink{format, func(v any) string { return fmt.Sprintf(format, v) }})
	}
	return append(all,
		sink{"fmt.Sprint", func(v any) string { return fmt.Sprint(v) }},
		sink{"fmt.Sprintln", func(v any) string { return fmt.Sprintln("with", v) }},
		sink{"fmt.Errorf", func(v any) string { return fmt.Errorf("failed: %v", v).Error() }},
		sink{"log", func(v any) string {
			var buf bytes.Buffer
			log.New(&buf, "", 0).Print("got ", v)
			return buf.String()
		}},
		logSink("slog text", func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) }),
		logSink("slog JSON", func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) }),
		encodeSink("encoding/json", json.Marshal),
		encodeSink("encoding/json indented", func(v any) ([]byte, error) { return json.MarshalIndent(v, "", " ") }),
		encodeSink("encoding/xml", xml.Marshal),
		encodeSink("text", func(v any) ([]byte, error) {
			if m, ok := v.(encoding.TextMarshaler); ok {
				return m.MarshalText()
			}
			return nil, nil
		}),
		encodeSink("gob", func(v any) ([]byte, error) {
			var buf bytes.Buffer
			err := gob.NewEncoder(&buf).Encode(v)
			return buf.Bytes(), err
		}),
		sink{"reflection", func(v any) string {
			var b strings.Builder
			dump(&b, reflect.ValueOf(v))
			return b.String()
		}},
		sink{"recovered panic", func(v any) (out string) {
			defer func() { out = fmt.Sprintf("panic: %v\n%s", recover(), debug.Stack()) }()
			panic(v)
		}},
	)
}

func logSink(name string, handler func(*bytes.Buffer) slog.Handler) sink {
	return sink{name, func(v any) string {
		var buf bytes.Buffer
		l := slog.New(handler(&buf))
		l.Info("direct", "value", v)
		l.WithGroup("outer").With("bound", v).Info("grouped", slog.Group("inner", slog.Any("value", v)))
		return buf.String()
	}}
}

func encodeSink(name string, encode func(any) ([]byte, error)) sink {
	return sink{name, func(v any) string {
		out, err := encode(v)
		return fmt.Sprint(string(out), " ", err)
	}}
}

// dump prints all that reflection reaches, as spew and test frameworks do: pointers followed,
// unexported fields read, no method called.
func dump(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			dump(b, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fmt.Fprintf(b, "%s:", v.Type().Field(i).Name)
			dump(b, v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			dump(b, v.Index(i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			dump(b, it.Key())
			dump(b, it.Value())
		}
	case reflect.String:
		b.WriteString(v.String() + " ")
	default:
		fmt.Fprint(b, v, " ")
	}
}

// leaks reports whether eight characters of canary in a row are in out, plain or in one of the
// usual encodings. canary must be upper case, so that neither addresses nor the names in a stack
// trace can look like it.
func leaks(out, canary string) bool {
	unspaced := strings.ReplaceAll(out, " ", "")
	for i := range len(canary) - 8 {
		part := canary[i : i+8]
		if strings.Contains(out, part) || strings.Contains(strings.ToLower(unspaced), hex.EncodeToString([]byte(part))) {
			return true
		}
	}
	return strings.Contains(out, base64.StdEncoding.EncodeToString([]byte(canary[:24])))
}

func TestNothingPrints(t *testing.T) {
	canary := rand.Text()
	s := secret.New(canary)
	check := func(t *testing.T, all []container, want func(container, sink) bool) {
		for _, c := range all {
			for _, to := range sinks() {
				out := to.print(c.value)
				// The output itself is not shown: it may hold the secret.
				if got := leaks(out, canary); got != want(c, to) {
					t.Errorf("%s, printed by %s: secret revealed = %t, want %t", c.name, to.name, got, !got)
				}
				if strings.Contains(out, "PANIC=") {
					t.Errorf("%s, printed by %s: a method panicked", c.name, to.name)
				}
			}
		}
	}
	t.Run("String", func(t *testing.T) {
		check(t, containers(s, embedsString{s, "n"}), func(container, sink) bool { return false })
	})
	t.Run("Outgoing", func(t *testing.T) {
		i := secret.Outgoing(s)
		check(t, containers(i, embedsImport{i, "n"}), func(c container, to sink) bool {
			switch to.name {
			case "encoding/json", "encoding/json indented":
				return c.json
			case "slog JSON":
				return c.slog
			}
			return false
		})
	})
}

// TestSinksAreAlive shows that the matrix can fail: every sink reveals a plain text, alone or
// inside something.
func TestSinksAreAlive(t *testing.T) {
	canary := rand.Text()
	for _, to := range sinks() {
		switch to.name {
		case "%T", "text":
			continue // prints the type alone; needs a TextMarshaler
		}
		found := false
		for _, c := range containers(plain(canary), embedsPlain{plain(canary), plain(canary)}) {
			found = found || leaks(to.print(c.value), canary)
		}
		if !found {
			t.Errorf("%s does not find a plain text", to.name)
		}
	}
}

// TestVisible pins what is printed instead, absence included.
func TestVisible(t *testing.T) {
	full := secret.New("x-x-x-x-x")
	for _, tt := range []struct {
		value any
		want  string
	}{
		{full, secret.Placeholder}, {&full, secret.Placeholder}, {secret.Outgoing(full), secret.Placeholder},
		{secret.String{}, ""}, {&secret.String{}, ""}, {secret.Outgoing{}, ""},
	} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%50s"} {
			if got := fmt.Sprintf(format, tt.value); got != tt.want {
				t.Errorf("%s of %T prints %q, want %q", format, tt.value, got, tt.want)
			}
		}
		text, err := tt.value.(encoding.TextMarshaler).MarshalText()
		if err != nil || string(text) != tt.want {
			t.Errorf("text of %T is %q, %v; want %q", tt.value, text, err, tt.want)
		}
		if got := tt.value.(fmt.GoStringer).GoString(); got != tt.want {
			t.Errorf("GoString of %T is %q, want %q", tt.value, got, tt.want)
		}
		if got := tt.value.(slog.LogValuer).LogValue().String(); got != tt.want {
			t.Errorf("%T is logged as %q, want %q", tt.value, got, tt.want)
		}
	}
	for _, s := range []secret.String{full, {}} {
		if got, err := json.Marshal(s); err != nil || string(got) != `"`+s.String()+`"` {
			t.Errorf("JSON = %s, %v; want the string %q", got, err, s)
		}
	}
}

// TestCrash runs a program that dies of a panic with a secret, and reads its dying words: the
// runtime prints those itself, without fmt.
func TestCrash(t *testing.T) {
	const variable = "SECRET_TEST_CRASH"
	if canary := os.Getenv(variable); canary != "" {
		panic(secret.New(canary))
	}
	canary := rand.Text()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrash$")
	cmd.Env = append(os.Environ(), variable+"="+canary, "GOTRACEBACK=all")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte(secret.Placeholder)) {
		t.Fatalf("the program did not die as planned: %v", err)
	}
	if leaks(string(out), canary) {
		t.Error("the panic trace reveals the secret")
	}
}
