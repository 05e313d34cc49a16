package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	baseAPI = `openapi: 3.0.3
info: {title: A, version: "1"}
paths:
  /a:
    get:
      operationId: GetA
      x-safety: read
      parameters: [{name: b, in: query, schema: {type: string}}]
      responses: {"200": {description: Good.}}
`
	baseOverlay = "overlay: 1.0.0\nactions: []\n"
	baseModels  = "package gen\n\n// A is a model.\ntype A struct {\n\tB *string `json:\"b\"`\n\tc int\n}\n\ntype E string\n\nconst EA E = \"a\"\n"
)

// withoutParameter breaks callers.
var withoutParameter = strings.Replace(baseAPI, "      parameters: [{name: b, in: query, schema: {type: string}}]\n", "", 1)

// repository is one with the base contract committed.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	c := repository{t, t.TempDir()}
	c.git("init", "-q", "-b", "main")
	c.write(openAPIFile, baseAPI)
	c.write(overlayFile, baseOverlay)
	c.write(codeFiles[0], baseModels)
	c.write(codeFiles[1], "package gen\n\ntype Client struct{}\n\nfunc (c *Client) GetA(b string) error { return nil }\n")
	c.commit()
	return c
}

func (c repository) git(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = c.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (c repository) write(name, text string) {
	c.t.Helper()
	name = filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func (c repository) commit() string {
	c.t.Helper()
	c.git("add", ".")
	c.git("commit", "-q", "-m", "a")
	return c.git("rev-parse", "HEAD")
}

// run returns the exit code, and both outputs.
func (c repository) run(args ...string) (code int, stdout, stderr string) {
	c.t.Helper()
	var out, errs bytes.Buffer
	code = run(c.t.Context(), c.dir, args, &out, &errs)
	return code, out.String(), errs.String()
}

func (c repository) want(args []string, code int, text string) {
	c.t.Helper()
	got, stdout, stderr := c.run(args...)
	if got != code || !strings.Contains(stdout+stderr, text) || code == exitUsage && stdout != "" {
		c.t.Errorf("%q: exit code %d, want %d with %q\nstdout: %s\nstderr: %s", args, got, code, text, stdout, stderr)
	}
}

const theBreak = "paths /a get parameters query b"

func TestAccepted(t *testing.T) {
	c := newRepository(t)
	c.write(openAPIFile, withoutParameter)
	head := []string{"-base", "HEAD"}
	c.want(head, exitBreaks, "break          "+theBreak+": removed {in, name, schema}\n               parameter: callers that send it are refused, or ignored (GetA)\n1 breaks, 0 accepted")
	for _, tt := range []struct {
		name, file string
		code       int
		text       string
	}{
		{"accepted", "accepted:\n- {rule: parameter, path: " + theBreak + ", reason: Nobody sent it.}\n", exitGood, "parameter: accepted: Nobody sent it.\n0 breaks, 1 accepted"},
		{"empty", "# nothing\n", exitBreaks, "1 breaks, 0 accepted"},
		{"no reason", "accepted:\n- {rule: parameter, path: " + theBreak + ", reason: ' '}\n", exitUsage, "has no reason: add it"},
		{"no rule", "accepted:\n- {path: " + theBreak + ", reason: Nobody sent it.}\n", exitUsage, "has no rule: add it"},
		{"no path", "accepted:\n- {rule: parameter, reason: Nobody sent it.}\n", exitUsage, "has no path: add it"},
		{"another rule", "accepted:\n- {rule: operation, path: " + theBreak + ", reason: Nobody sent it.}\n", exitUsage, "entry 1 (operation " + theBreak + ") matches no break: remove it"},
		{"no break", "accepted:\n- {rule: text, path: info title, reason: Nobody read it.}\n", exitUsage, "matches no break"},
		{"twice", "accepted:\n" + strings.Repeat("- {rule: parameter, path: "+theBreak+", reason: Nobody sent it.}\n", 2), exitUsage, "is there twice: remove one"},
		{"misspelt", "accepted:\n- {rule: parameter, path: " + theBreak + ", reasons: Nobody sent it.}\n", exitUsage, "field reasons not found"},
		{"no YAML", "accepted: [\n", exitUsage, acceptedFile},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			c.write(acceptedFile, tt.file)
			c.want(head, tt.code, tt.text)
		})
	}
}

func TestArguments(t *testing.T) {
	c := newRepository(t)
	c.want([]string{"-base", "HEAD"}, exitGood, "compared with HEAD:\n0 breaks, 0 accepted, 0 additions, 0 of documentation\n")
	c.want([]string{"-base", "v9"}, exitUsage, `"v9" is no revision of this clone: name a tag or a commit`)
	c.want([]string{"-base", "--output=x"}, exitUsage, "is no revision of this clone")
	c.want([]string{"HEAD"}, exitUsage, "unexpected argument \"HEAD\": name a revision with -base")
	c.want([]string{"-bass", "HEAD"}, exitUsage, "usage: contractdiff")
	c.want([]string{"-h"}, exitGood, "usage: contractdiff")
	c.want([]string{"-base", "none"}, exitGood, "operation")
	c.write(openAPIFile, "openapi: [\n")
	c.want([]string{"-base", "HEAD"}, exitUsage, openAPIFile)
	c.write(openAPIFile, strings.Replace(baseAPI, "schema: {type: string}", `schema: {$ref: "#/components/schemas/A"}`, 1))
	c.want([]string{"-base", "HEAD"}, exitUsage, "#/components/schemas/A")
	c.dir = t.TempDir()
	c.want(nil, exitUsage, "this is no git repository: run it in a clone")
}

// What callers in Go see is compared in the generated code.
func TestGo(t *testing.T) {
	c := newRepository(t)
	for _, tt := range []struct {
		name, old, next string
		code            int
		text            string
	}{
		{"nothing", "", "", exitGood, "0 breaks"},
		{"comment", "// A is a model.", "// A is a type.", exitGood, "0 breaks"},
		{"field not exported", "c int", "c string", exitGood, "0 breaks"},
		{"field added", "c int", "C int", exitGood, "0 breaks"},
		{"field removed", "\tB *string `json:\"b\"`\n", "", exitBreaks, "gen A.B: removed *string `json:\"b\"`\n               go-name: callers in Go that use this name do not compile"},
		{"field retyped", "B *string", "B string", exitBreaks, "gen A.B: *string `json:\"b\"` became string `json:\"b\"`\n               go-type:"},
		{"tag changed", `json:"b"`, `json:"b,omitzero"`, exitBreaks, "go-type"},
		{"type renamed", "type A", "type Aa", exitBreaks, "gen A: removed struct"},
		{"type becomes an alias", "E string", "E = string", exitBreaks, "gen E: string became = string"},
		{"constant changed", `"a"`, `"b"`, exitBreaks, `gen EA: const E = "a" became const E = "b"`},
		{"constant removed", "const EA", "const ea", exitBreaks, "gen EA: removed"},
		{"no Go", "package gen", "package", exitUsage, "the generated code:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			c.write(codeFiles[0], strings.Replace(baseModels, tt.old, tt.next, 1))
			c.want([]string{"-base", "HEAD"}, tt.code, tt.text)
		})
	}
}

func TestJSON(t *testing.T) {
	c := newRepository(t)
	c.write(openAPIFile, withoutParameter)
	code, stdout, _ := c.run("-base", "HEAD", "-json")
	var r result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != exitBreaks {
		t.Fatalf("exit code %d: %v: %s", code, err, stdout)
	}
	if r.Base != "HEAD" || r.Breaks != 1 || len(r.Changes) != 1 || r.Changes[0].Path != theBreak || r.Changes[0].Rule != "parameter" || len(r.Changes[0].Oasdiff) == 0 {
		t.Errorf("%+v", r)
	}
}

// The default is the last release, or else the base of the accepted breaks, or else the version
// before the last edit.
func TestDefaultBase(t *testing.T) {
	c := newRepository(t)
	first := c.git("rev-parse", "HEAD")
	c.want(nil, exitGood, "not compared: there is no earlier version in this clone")
	c.write(openAPIFile, withoutParameter)
	c.want(nil, exitBreaks, "compared with "+first)
	c.commit()
	c.write("other", "")
	c.commit()
	c.want(nil, exitBreaks, "compared with "+first)
	c.write(openAPIFile, strings.Replace(withoutParameter, "title: A", "title: B", 1))
	second := c.commit()
	c.want(nil, exitGood, "documentation  info title: A became B")
	c.write(overlayFile, baseOverlay+"# a comment\n")
	c.want(nil, exitGood, "documentation  api/go.overlay.yaml: changed")
	c.write(overlayFile, baseOverlay)

	c.write(acceptedFile, "base: "+first+"\n")
	c.want(nil, exitBreaks, "compared with "+first)
	c.write(acceptedFile, "base: "+strings.Repeat("1", 40)+"\n")
	c.want(nil, exitUsage, "this clone does not have 1111")
	shallow := newRepository(t)
	shallow.git("fetch", "--depth=1", "file://"+c.dir, "HEAD")
	shallow.git("reset", "--hard", "FETCH_HEAD")
	shallow.write(acceptedFile, "base: "+first+"\n")
	shallow.want(nil, exitGood, "not compared: there is no earlier version: this clone does not have "+first)

	for _, version := range []string{"v0.9.0", "v0.10.0-rc.1", "v0.10.0"} {
		beside := c.git("commit-tree", "-p", second, "-m", "Release", second+"^{tree}")
		c.git("tag", version, beside)
		c.git("tag", "contrib/redis/"+version, beside)
		c.want(nil, exitGood, "compared with "+version+":")
	}
}

func TestChangelog(t *testing.T) {
	c := newRepository(t)
	c.want([]string{"-base", "none", "-changelog", "1"}, exitUsage, changelogFile)
	c.write(changelogFile, "# Changes\n\nA head.\n")
	c.want([]string{"-base", "none", "-changelog", "a b"}, exitUsage, "no name of a version")
	read := func() string {
		text, err := os.ReadFile(filepath.Join(c.dir, changelogFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	first := "## 1\n\nThe first version.\n\n### Additions\n\n- `GET /a`, `GetA`: added\n"
	for range 2 {
		c.want([]string{"-base", "none", "-changelog", "1"}, exitGood, "")
		if got := read(); got != "# Changes\n\nA head.\n\n"+first {
			t.Fatalf("%s", got)
		}
	}
	c.commit()
	c.write(openAPIFile, strings.Replace(withoutParameter, "title: A", "title: B", 1))
	c.write(acceptedFile, "accepted:\n- {rule: parameter, path: "+theBreak+", reason: Nobody sent it.}\n")
	second := "## 2\n\nSince HEAD.\n\n### Breaks\n\n- `" + theBreak + "`: removed {in, name, schema}; callers that send it are refused, or ignored. Nobody sent it.\n\n" +
		"### Documentation\n\n- `info title`: A became B\n\n"
	c.want([]string{"-base", "HEAD", "-changelog", "2"}, exitGood, "")
	if got := read(); got != "# Changes\n\nA head.\n\n"+second+first {
		t.Fatalf("%s", got)
	}
	c.want([]string{"-base", "none", "-changelog", "1"}, exitUsage, "matches no break")
	c.write(acceptedFile, "")
	c.want([]string{"-base", "HEAD", "-changelog", "1"}, exitBreaks, "") // the old section, written again
	if got := read(); !strings.HasPrefix(got, "# Changes\n\nA head.\n\n"+second+"## 1\n\nSince HEAD.\n") {
		t.Fatalf("%s", got)
	}
}
