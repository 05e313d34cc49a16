package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What is written is the contract, as two readers other than ours see it, with the sums of the
// files as they are on the disk. A second run writes the same.
func TestWrite(t *testing.T) {
	api := filepath.Join("..", "..", "api")
	first, second := filepath.Join(t.TempDir(), "a", "b"), t.TempDir()
	names, err := write(api, first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := write(api, second); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(first)
	if err != nil {
		t.Fatal(err)
	}
	var sums strings.Builder
	for _, name := range names {
		data := read(t, first, name)
		if string(data) != string(read(t, second, name)) {
			t.Errorf("%s differs between two runs", name)
		}
		if strings.HasSuffix(name, ".yaml") && string(data) != string(read(t, api, name)) {
			t.Errorf("%s is not the file of api/", name)
		}
		if name != checksums {
			sum := sha256.Sum256(data)
			sums.WriteString(hex.EncodeToString(sum[:]) + "  " + name + "\n")
		}
	}
	if len(names) != len(entries) || !slices.Contains(names, "openapi.yaml") || !slices.Contains(names, "openapi.json") || !slices.Contains(names, "rotation.arazzo.yaml") {
		t.Errorf("the names are %v, the folder has %d files", names, len(entries))
	}
	if got := string(read(t, first, checksums)); got != sums.String() {
		t.Errorf("%s says\n%s\nwant\n%s", checksums, got, sums.String())
	}

	asJSON := read(t, first, "openapi.json")
	document, err := openapi3.NewLoader().LoadFromData(asJSON)
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	var fromJSON, fromYAML any
	if err := json.Unmarshal(asJSON, &fromJSON); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(read(t, api, "openapi.yaml"), &fromYAML); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromJSON, sameNumbers(fromYAML)) {
		t.Error("openapi.json does not hold what openapi.yaml holds")
	}
	ids := regexp.MustCompile(`"?operationId"?: "?(\w+)`)
	inJSON, inYAML := ids.FindAllSubmatch(asJSON, -1), ids.FindAllSubmatch(read(t, api, "openapi.yaml"), -1)
	if !slices.EqualFunc(inJSON, inYAML, func(a, b [][]byte) bool { return string(a[1]) == string(b[1]) }) {
		t.Error("openapi.json has another order than openapi.yaml")
	}
}

// sameNumbers gives every number the type that encoding/json gives it.
func sameNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = sameNumbers(v[key])
		}
	case []any:
		for i := range v {
			v[i] = sameNumbers(v[i])
		}
	case int:
		return float64(v)
	}
	return v
}

func TestToJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{b: 1, a: [x, "1", true, null, 1.5, -2, ~], c: {}, d: []}`: `{"b":1,"a":["x","1",true,null,1.5,-2,null],"c":{},"d":[]}`,
		"a: |\n  <p> & \"q\"\n  é":                                  `{"a":"<p> & \"q\"\né"}`,
		`{"200": {$ref: "#/a"}}`:                                    `{"200":{"$ref":"#/a"}}`,
		`a: {$ref: other.yaml#/a}`:                                  "line 1: a reference to another file",
		`a: &x {b: 1}` + "\nc: *x":                                  "line 2: an alias",
		`{200: a}`:                                                  "line 1: the key 200 is not text",
		`{a: 1, a: 2}`:                                              "line 1: the key a occurs twice",
		`a: 2026-11-01`:                                             "line 1: 2026-11-01 has no type of JSON",
		`a: .nan`:                                                   "line 1: .nan is no number of JSON",
		`a: [`:                                                      "yaml: ",
		``:                                                          "it holds no document",
	} {
		got, err := toJSON([]byte(in))
		if err != nil {
			if !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: %v, want %s", in, err, want)
			}
			continue
		}
		var compact strings.Builder
		for line := range strings.Lines(string(got)) {
			compact.WriteString(strings.TrimSpace(strings.Replace(line, `": `, `":`, 1)))
		}
		if compact.String() != want {
			t.Errorf("%s\nis   %s\nwant %s", in, compact.String(), want)
		}
	}
}

func TestWriteFails(t *testing.T) {
	if _, err := write(t.TempDir(), t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "contractassets: read the contract: ") {
		t.Errorf("without a contract: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := write(filepath.Join("..", "..", "api"), file); err == nil || !strings.HasPrefix(err.Error(), "contractassets: make the folder: ") {
		t.Errorf("onto a file: %v", err)
	}
}
