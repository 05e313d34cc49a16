package rotate

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
)

var update = flag.Bool("update", false, "write testdata/stops.golden")

// TestStopsAreComplete holds the table against the sentinels of package rotate: none is missing,
// and none is there twice.
func TestStopsAreComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../../../../stytch/rotate/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	sentinels := 0
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			if spec.(*ast.ValueSpec).Names[0].IsExported() {
				sentinels++
			}
		}
	}
	seen, names := map[error]bool{}, map[string]bool{}
	ofRotate := 0
	for _, s := range stops {
		if seen[s.err] || names[s.name] {
			t.Errorf("%s is there twice", s.name)
		}
		seen[s.err], names[s.name] = true, true
		if strings.HasPrefix(s.err.Error(), "rotate: ") {
			ofRotate++
		}
	}
	if sentinels < 19 || ofRotate != sentinels {
		t.Errorf("the table has %d of the %d sentinels of package rotate", ofRotate, sentinels)
	}
}

// TestStops holds the class and the message of each stop, in the middle of a rotation and where
// nothing was begun.
func TestStops(t *testing.T) {
	f := &engineFlags{deliver: []string{"file:/run/worker.json"}}
	f.where, f.keyFiles = "/var/lib/rotation", []string{"/etc/key 1"}
	var b strings.Builder
	for _, s := range stops {
		for _, stage := range []rotate.State{rotate.Planned, rotate.Started} {
			cause := fmt.Errorf("%w: the details", s.err)
			err := stopped(t.Context(), &rotate.Error{ClientID: "worker", Stage: stage, Err: cause}, f.stopContext("worker"))
			var own *cli.Error
			if !errors.As(err, &own) || own.Type != s.name || cli.Classify(err) != s.class || !errors.Is(err, s.err) {
				t.Errorf("%s: %v is %+v", s.name, err, own)
			}
			fmt.Fprintf(&b, "%s %s, exit %d\n%v\n\n", s.name, stage, cli.Classify(err).ExitCode(), err)
		}
	}
	if *update {
		if err := os.WriteFile("testdata/stops.golden", []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/stops.golden")
	if err != nil || string(want) != b.String() {
		t.Errorf("differs from testdata/stops.golden, run with -update if it is right (%v):\n%s", err, b.String())
	}
}

// TestInterrupted says how to go on, whatever kind of failure the end of the context became.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &engineFlags{deliver: []string{"file:x"}}
	for name, test := range map[string]struct {
		err  error
		id   string
		want string
	}{
		"in the middle":    {&rotate.Error{ClientID: "worker", Stage: rotate.Started, Err: ctx.Err()}, "worker", "go on: stytchctl rotate resume worker --deliver file:x"},
		"before the start": {&rotate.Error{ClientID: "worker", Stage: rotate.Planned, Err: ctx.Err()}, "worker", "interrupted. Nothing was begun."},
		"in the journal":   {&rotate.Error{ClientID: "worker", Err: errors.Join(rotate.ErrJournal, ctx.Err())}, "worker", "Nothing was begun."},
		"of a fleet":       {ctx.Err(), "", "go on: stytchctl rotate resume --all --deliver file:x"},
		"canceled by it":   {&rotate.Error{ClientID: "worker", Stage: rotate.Canceled, Err: errors.Join(rotate.ErrCanceled, ctx.Err())}, "worker", "the current secret stays in use"},
	} {
		err := stopped(ctx, test.err, f.stopContext(test.id))
		if cli.Classify(err) != cli.Interrupted || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %s: %v", name, cli.Classify(err), err)
		}
	}
	if err := stopped(ctx, rotate.ErrWrongKey, f.stopContext("")); cli.Classify(err) != cli.NeedsHuman {
		t.Errorf("a stop of its own while the context ended: %v", err)
	}
}

// TestRunbookHasTheAdvice holds docs/runbook.md against the table: each stop has a section, and the
// section has each command that the stop advises.
func TestRunbookHasTheAdvice(t *testing.T) {
	page, err := os.ReadFile("../../../../../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stops {
		_, section, found := strings.Cut(string(page), "\n## "+s.name+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		if !found {
			t.Errorf("there is no section %s", s.name)
			continue
		}
		for _, a := range append(append(s.look, s.fix...), s.fresh...) {
			if !hasCommand(section, a.command) {
				t.Errorf("section %s lacks the command %q", s.name, a.command)
			}
		}
	}
}

// hasCommand reports whether a line has all words of a command.
func hasCommand(section, command string) bool {
	plain := strings.NewReplacer(`"$ID"`, "ID", `"$FILE"`, "FILE", `"file:$FILE"`, "file:FILE", `"$AUDIT"`, "FILE")
	for line := range strings.Lines(plain.Replace(section)) {
		has := strings.HasPrefix(line, "stytchctl ")
		for word := range strings.FieldsSeq(command) {
			has = has && strings.Contains(line+" ", " "+word)
		}
		if has {
			return true
		}
	}
	return false
}
