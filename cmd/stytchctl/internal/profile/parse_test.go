package profile

import (
	"strings"
	"testing"
)

const good = `in_use: prod
profiles:
  prod: {project_id: project-live-1, store: keyring}
  local:
    project_id: project-test-2
    base_url: http://127.0.0.1:4010
    store: file
`

func TestParse(t *testing.T) {
	c, err := parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	want := Profile{"local", "project-test-2", "http://127.0.0.1:4010", File}
	if c.inUse != "prod" || len(c.profiles) != 2 || c.profiles["local"] != want {
		t.Errorf("got %+v", c)
	}
	text, err := c.encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := parse(text)
	if err != nil || again.inUse != c.inUse || again.profiles["local"] != want || again.profiles["prod"] != c.profiles["prod"] {
		t.Errorf("%s: %+v, %v", text, again, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"no YAML":        {"profiles: [", "line 1: did not find expected node content"},
		"a list":         {"- a", "line 1: keys with values are expected here"},
		"unknown key":    {"profile: {}", `line 1: unknown key "profile": did you mean "profiles"?`},
		"unknown in one": {"profiles:\n  a:\n    project: x", `line 3: unknown key "project": did you mean "project_id"?`},
		"a secret":       {"profiles:\n  a:\n    secret: secret-test-canary", `line 3: unknown key "secret": did you mean "store"? The keys here are project_id, base_url, store`},
		"twice":          {"in_use: a\nin_use: b", `line 2: the key "in_use" is there twice`},
		"a list inside":  {"profiles:\n  a:\n    store: [file]", "line 3: store: a text is expected"},
		"no project":     {"profiles:\n  a:\n    store: file", `line 3: profile "a": project_id: project id must not be empty`},
		"bad store":      {"profiles:\n  a: {project_id: project-test-1, store: disk}", `line 2: profile "a": store: it must be keyring or file`},
		"bad address":    {"profiles:\n  a: {project_id: project-test-1, store: file, base_url: 'http://example.com'}", `line 2: profile "a": base_url: `},
		"bad name":       {"profiles:\n  ../a: {project_id: project-test-1, store: file}", "the name must be"},
		"not there":      {"in_use: b\nprofiles: {}", `in_use: there is no profile "b"`},
		"alias":          {"profiles:\n  a: &x {project_id: project-test-1, store: file}\n  b: *x", "line 3: anchors, aliases"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("%v quotes a value", err)
			}
		})
	}
}

// FuzzParse looks for texts that crash the parser, and for profiles that do not survive writing.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("profiles: {a: {project_id: project-test-1, store: file}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parse(text)
		if err != nil {
			return
		}
		written, err := c.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parse(written)
		if err != nil || again.inUse != c.inUse || len(again.profiles) != len(c.profiles) {
			t.Fatalf("%q became %q: %v", text, written, err)
		}
	})
}
