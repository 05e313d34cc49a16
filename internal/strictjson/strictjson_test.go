package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/strictjson"
	"github.com/stytchkit/m2m/internal/vectors"
)

func TestValid(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	many := func(names int, last string) string {
		var b strings.Builder
		for i := range names {
			b.WriteString(`"` + strings.Repeat("n", i+1) + `":1,`)
		}
		return "{" + b.String() + `"` + last + `":1}`
	}
	for text, want := range map[string]error{
		` {"a" : [1, -0.5e+3, true, false, null, "x"] } `: nil,
		`"\ud83d\ude00 \u00e9 \\ \/ \b\f\n\r\t\""`:        nil,
		"\"\u2028 é 😀\"":                                  nil,
		`0`:                                               nil,
		deep(32):                                          nil,
		many(40, "m"):                                     nil,
		``:                                                strictjson.ErrSyntax,
		` `:                                               strictjson.ErrSyntax,
		`{"a":1}{}`:                                       strictjson.ErrSyntax,
		`{"a":1} x`:                                       strictjson.ErrSyntax,
		`{"a":1,}`:                                        strictjson.ErrSyntax,
		`{a:1}`:                                           strictjson.ErrSyntax,
		`{'a':1}`:                                         strictjson.ErrSyntax,
		`[1,]`:                                            strictjson.ErrSyntax,
		`01`:                                              strictjson.ErrSyntax,
		`+1`:                                              strictjson.ErrSyntax,
		`1.`:                                              strictjson.ErrSyntax,
		`.5`:                                              strictjson.ErrSyntax,
		`1e`:                                              strictjson.ErrSyntax,
		`NaN`:                                             strictjson.ErrSyntax,
		`-`:                                               strictjson.ErrSyntax,
		`truex`:                                           strictjson.ErrSyntax,
		"\"a\nb\"":                                        strictjson.ErrSyntax,
		`"a`:                                              strictjson.ErrSyntax,
		`"\x"`:                                            strictjson.ErrSyntax,
		`"\u12g4"`:                                        strictjson.ErrSyntax,
		`"\`:                                              strictjson.ErrSyntax,
		"\ufeff{}":                                        strictjson.ErrSyntax,
		`{"a":1,"a":1}`:                                   strictjson.ErrDuplicate,
		`{"a":1,"\u0061":1}`:                              strictjson.ErrDuplicate,
		`[{"x":{"a":1,"b":2,"a":1}}]`:                     strictjson.ErrDuplicate,
		many(40, "nnn"):                                   strictjson.ErrDuplicate,
		many(40, strings.Repeat("n", 40)):                 strictjson.ErrDuplicate,
		`{"":1,"":2}`:                                     strictjson.ErrDuplicate,
		`{"a":1,"A":2}`:                                   nil,
		deep(33):                                          strictjson.ErrDepth,
		strings.Repeat("[", 100_000):                      strictjson.ErrDepth,
		strings.Repeat(`{"a":`, 10_000):                   strictjson.ErrDepth,
		"\"\xff\"":                                        strictjson.ErrEncoding,
		"\"\xc0\xaf\"":                                    strictjson.ErrEncoding,
		"\"\xed\xa0\x80\"":                                strictjson.ErrEncoding,
		`"\ud83d"`:                                        strictjson.ErrEncoding,
		`"\ude00"`:                                        strictjson.ErrEncoding,
		`"\ude00\ud83d"`:                                  strictjson.ErrEncoding,
		`"\ud83dx"`:                                       strictjson.ErrEncoding,
		`"\ud83d\u0041"`:                                  strictjson.ErrEncoding,
		`{"` + "\xff" + `":1}`:                            strictjson.ErrEncoding,
	} {
		if err := strictjson.Valid([]byte(text)); !errors.Is(err, want) || (want == nil) != (err == nil) {
			t.Errorf("%.60q: %v, want %v", text, err, want)
		}
	}
}

func TestMembers(t *testing.T) {
	text := []byte(` { "a\u0062" : "x\ty" ,"n":-1.50,"o":{"k":[]}, "é":null}`)
	members, err := strictjson.Members(text, nil)
	if err != nil || len(members) != 4 {
		t.Fatal(err, len(members))
	}
	if string(members[0].Name) != "ab" || !members[0].Is("x\ty") || members[0].Is(`x\ty`) || string(members[0].Source) != `"a\u0062" : "x\ty"` {
		t.Error("first member")
	}
	if members[1].Kind != strictjson.Number || string(members[1].Raw) != "-1.50" || members[1].Is("-1.50") {
		t.Error("second member")
	}
	if members[2].Kind != strictjson.Object || string(members[2].Raw) != `{"k":[]}` || string(members[2].Source) != `"o":{"k":[]}` {
		t.Error("third member")
	}
	if _, ok := members[3].Text(); ok || string(members[3].Name) != "é" {
		t.Error("fourth member")
	}
	for text, want := range map[string]error{`[]`: strictjson.ErrKind, `"x"`: strictjson.ErrKind, `null`: strictjson.ErrKind, `{`: strictjson.ErrSyntax, `[`: strictjson.ErrSyntax, `{}{}`: strictjson.ErrSyntax} {
		if _, err := strictjson.Members([]byte(text), nil); !errors.Is(err, want) {
			t.Errorf("Members(%s): %v, want %v", text, err, want)
		}
	}
	if elements, err := strictjson.Elements([]byte(`["a", 1]`), nil); err != nil || len(elements) != 2 || !elements[0].Is("a") {
		t.Error("Elements", err)
	}
	if _, err := strictjson.Elements([]byte(`{}`), nil); !errors.Is(err, strictjson.ErrKind) {
		t.Error("Elements of an object", err)
	}
}

// What an object of plain fields costs is part of what a bad token costs.
func TestMembersMakesNoGarbage(t *testing.T) {
	text := []byte(`{"iss":"a","aud":["b"],"sub":"c","exp":1,"iat":1,"nbf":1,"scope":"x y","o":{"a":{"b":[1,2,{"c":null}]}}}`)
	buf := make([]strictjson.Member, 0, 16)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := strictjson.Members(text, buf); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestJSONTestSuite(t *testing.T) {
	files := vectors.PublicFiles(t, "JSONTestSuite/test_*/*.json")
	count := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		err = strictjson.Valid(text)
		name := filepath.Base(file)
		duplicate := strings.Contains(name, "duplicated_key") || strings.Contains(name, "same_key")
		switch kind := name[:2]; {
		case duplicate:
			if !errors.Is(err, strictjson.ErrDuplicate) {
				t.Errorf("%s: %v, want %v", name, err, strictjson.ErrDuplicate)
			}
			count["duplicate"]++
		case kind == "y_" && err != nil:
			t.Errorf("%s: %v", name, err)
		case kind == "n_" && err == nil:
			t.Errorf("%s: accepted", name)
		}
		count[name[:2]]++
		if err == nil {
			agrees(t, text)
		}
	}
	if count["y_"] != 95 || count["n_"] != 188 || count["i_"] != 35 || len(files) != 340 || count["duplicate"] != 5 {
		t.Errorf("the suite has other files than expected: %d, %v", len(files), count)
	}
}

// agrees compares what was read with what encoding/json reads.
func agrees(t *testing.T, text []byte) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var want any
	if err := decoder.Decode(&want); err != nil {
		t.Fatalf("accepted %.80q, which encoding/json refuses: %v", text, err)
	}
	v, err := strictjson.Read(text)
	if err != nil {
		t.Fatalf("refused %.80q after accepting it", text)
	}
	compare(t, v, want)
}

func compare(t *testing.T, v strictjson.Value, want any) {
	t.Helper()
	same := true
	switch want := want.(type) {
	case nil:
		same = v.Kind == strictjson.Null
	case bool:
		same = v.Kind == strictjson.Bool && string(v.Raw) == map[bool]string{true: "true", false: "false"}[want]
	case json.Number:
		same = v.Kind == strictjson.Number && string(v.Raw) == want.String()
	case string:
		text, ok := v.Text()
		same = ok && string(text) == want && v.Is(want) && !v.Is(want+"x")
	case []any:
		elements, err := strictjson.Elements(v.Raw, nil)
		if same = err == nil && len(elements) == len(want); same {
			for i := range elements {
				compare(t, elements[i], want[i])
			}
		}
	case map[string]any:
		members, err := strictjson.Members(v.Raw, nil)
		if same = err == nil && len(members) == len(want); same {
			for _, m := range members {
				value, ok := want[string(m.Name)]
				if !ok {
					t.Fatalf("name %q is not there", m.Name)
				}
				compare(t, m.Value, value)
			}
		}
	}
	if !same {
		t.Fatalf("%.80q was read differently from %.80v", v.Raw, want)
	}
}

func FuzzStrictJSON(f *testing.F) {
	for _, seed := range []string{
		`{"alg":"RS256","kid":"k","typ":"JWT"}`, `{"aud":["a","b"],"exp":1.5e3,"x":{"y":[null,true,"\ud83d\ude00\u0000"]}}`,
		`[[[]]]`, `"\ud83d"`, `{"a":1,"\u0061":2}`, "\"\xff\"", `-0`, `1E400`, ` [ ] `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := string(text)
		if strictjson.Valid(text) == nil {
			agrees(t, text)
		}
		if string(text) != before {
			t.Fatal("the text was changed")
		}
	})
}
