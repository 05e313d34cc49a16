package profile

import (
	"strings"
	"testing"
)

const good = `in_use: prod
profiles:
  - {name: prod, project_id: project-live-1, store: keyring}
  - name: local
    project_id: project-test-2
    base_url: http://127.0.0.1:4010
    store: file
`

func TestParse(t *testing.T) {
	c, err := parse("config.yaml", []byte(good))
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
	again, err := parse("config.yaml", text)
	if err != nil || again.inUse != c.inUse || again.profiles["local"] != want || again.profiles["prod"] != c.profiles["prod"] {
		t.Errorf("%s: %+v, %v", text, again, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"no YAML":        {"profiles: [", "config.yaml:1: this is not YAML: did not find expected node content"},
		"unknown key":    {"profile: {}", "config.yaml:1: "},
		"unknown in one": {"profiles:\n- name: a\n  project: x", `did you mean "project_id"?`},
		"a secret":       {"profiles:\n- name: a\n  secret: secret-test-canary", "config.yaml:3: "},
		"key twice":      {"in_use: a\nin_use: b", "config.yaml:2: "},
		"a list inside":  {"profiles:\n- store: [file]", "config.yaml:2: profiles[0].store: "},
		"no project":     {"profiles:\n- name: a\n  store: file", "config.yaml:2: profiles[0]: project_id: project id must not be empty"},
		"bad store":      {"profiles:\n- {name: a, project_id: project-test-1, store: disk}", "config.yaml:2: profiles[0]: store: it must be keyring or file"},
		"bad address":    {"profiles:\n- {name: a, project_id: project-test-1, store: file, base_url: 'http://example.com'}", "config.yaml:2: profiles[0]: base_url: "},
		"bad name":       {"profiles:\n- {name: ../a, project_id: project-test-1, store: file}", "profiles[0]: the name must be"},
		"name twice":     {"profiles:\n- &a {name: a, project_id: project-test-1, store: file}\n- *a", "profiles[1]: a profile above has the same name"},
		"not there":      {"in_use: b\nprofiles: []", "config.yaml: in_use: there is no such profile"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse("config.yaml", []byte(test.text))
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
	f.Add([]byte("profiles: [{name: a, project_id: project-test-1, store: file}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parse("config.yaml", text)
		if err != nil {
			return
		}
		written, err := c.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parse("config.yaml", written)
		if err != nil || again.inUse != c.inUse || len(again.profiles) != len(c.profiles) {
			t.Fatalf("%q became %q: %v", text, written, err)
		}
	})
}
