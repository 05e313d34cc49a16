//go:build languages

package languages_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/internal/heavy"
)

// A mistake is one that a linter must find: it is not enough that it is silent on our files. Those
// without a rule of one linter are found by the other.
type mistake struct{ file, from, to, redocly, spectral string }

var mistakes = []mistake{
	{contract, "      summary: Create an M2M client\n", "", "operation-summary", ""},
	{contract, "      description: Returns the client. Of its secret, only the last four characters can be read.\n", "", "operation-description", "operation-description"},
	{contract, "schemas/UpdateM2MClientRequest\"", "schemas/Nothing\"", "no-unresolved-refs", "invalid-ref"},
	{contract, "                status_code: 201\n", "                status_code: created\n", "no-invalid-media-type-examples", "oas3-valid-media-example"},
	{rotation, "stepId: cancel}", "stepId: nothing}", "", "arazzo-step-failure-actions-validation"},
	{rotation, "stepId: prove", "stepId: start", "stepId-unique", "arazzo-workflow-stepId-unique"},
}

func TestRedocly(t *testing.T) {
	t.Parallel()
	spoiled := spoil(t)
	r := node(t, nil, redocly, "lint", "--config", "redocly.yaml", "--format", "json", contract, rotation, spoiled[0], spoiled[1])
	found := map[string][]string{}
	for decoder := json.NewDecoder(strings.NewReader(r.stdout)); ; {
		var report struct { // one for each file
			Problems []struct {
				RuleID   string `json:"ruleId"`
				Message  string
				Location []struct {
					Pointer string
					Source  struct{ Ref string }
				}
			}
		}
		err := decoder.Decode(&report)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("redocly (%v) writes no JSON: %v\n%s%s", r.err, err, r.stdout, r.stderr)
		}
		for _, p := range report.Problems {
			at := p.Location[0]
			if filepath.Dir(filepath.Dir(at.Source.Ref)) == filepath.Dir(filepath.Dir(contract)) {
				t.Errorf("%s %s: %s: %s: mend it, or switch the rule off in redocly.yaml with the reason", at.Source.Ref, at.Pointer, p.RuleID, p.Message)
			}
			found[filepath.Base(at.Source.Ref)] = append(found[filepath.Base(at.Source.Ref)], p.RuleID)
		}
	}
	finds(t, r, found, func(m mistake) string { return m.redocly })
}

// The second linter installs some 240 packages, which takes longer than all other tests here.
func TestSpectral(t *testing.T) {
	if !heavy.Long() {
		t.Skip("a second linter: set M2M_HEAVY_TESTS=long")
	}
	t.Parallel()
	if err := install("spectral"); err != nil {
		t.Fatal(err)
	}
	spoiled := spoil(t)
	r := node(t, nil, spectral, "lint", "--ruleset", "spectral/ruleset.yaml", "--fail-severity", "hint", "--format", "json", contract, rotation, spoiled[0], spoiled[1])
	var problems []struct {
		Code, Message, Source string
		Path                  []any
	}
	if err := json.Unmarshal([]byte(r.stdout), &problems); err != nil {
		t.Fatalf("spectral (%v) writes no JSON: %v\n%s%s", r.err, err, r.stdout, r.stderr)
	}
	found := map[string][]string{}
	for _, p := range problems {
		if p.Source != spoiled[0] && p.Source != spoiled[1] {
			t.Errorf("%s %v: %s: %s: mend it, or switch the rule off in spectral/ruleset.yaml with the reason", p.Source, p.Path, p.Code, p.Message)
		}
		found[filepath.Base(p.Source)] = append(found[filepath.Base(p.Source)], p.Code)
	}
	finds(t, r, found, func(m mistake) string { return m.spectral })
}

// finds checks that a linter found each mistake by the rule that is for it, and failed.
func finds(t *testing.T, r run, found map[string][]string, rule func(mistake) string) {
	t.Helper()
	if exit := new(exec.ExitError); !errors.As(r.err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("the linter ended with %v, want exit status 1 for the spoiled files\n%s", r.err, r.stderr)
	}
	for _, m := range mistakes {
		codes := strings.Join(found[filepath.Base(m.file)], " ")
		if want := rule(m); want != "" && !strings.Contains(" "+codes+" ", " "+want+" ") {
			t.Errorf("%q instead of %q: found by none of %s, want %s", m.to, m.from, codes, want)
		}
	}
}

// spoil writes the contract and the workflow with all mistakes.
func spoil(t *testing.T) (files []string) {
	t.Helper()
	folder := t.TempDir()
	for _, file := range []string{contract, rotation} {
		content := text(t, file)
		for _, m := range mistakes {
			if m.file != file {
				continue
			}
			if !strings.Contains(content, m.from) {
				t.Fatalf("%s does not contain %q: choose another text for this mistake", file, m.from)
			}
			content = strings.Replace(content, m.from, m.to, 1)
		}
		files = append(files, filepath.Join(folder, filepath.Base(file)))
		if err := os.WriteFile(files[len(files)-1], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
