package platforms_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/analysis/passes/assign"
	"golang.org/x/tools/go/analysis/passes/atomic"
	"golang.org/x/tools/go/analysis/passes/bools"
	"golang.org/x/tools/go/analysis/passes/buildtag"
	"golang.org/x/tools/go/analysis/passes/composite"
	"golang.org/x/tools/go/analysis/passes/copylock"
	"golang.org/x/tools/go/analysis/passes/defers"
	"golang.org/x/tools/go/analysis/passes/directive"
	"golang.org/x/tools/go/analysis/passes/errorsas"
	"golang.org/x/tools/go/analysis/passes/httpresponse"
	"golang.org/x/tools/go/analysis/passes/ifaceassert"
	"golang.org/x/tools/go/analysis/passes/lostcancel"
	"golang.org/x/tools/go/analysis/passes/nilfunc"
	"golang.org/x/tools/go/analysis/passes/shift"
	"golang.org/x/tools/go/analysis/passes/sigchanyzer"
	"golang.org/x/tools/go/analysis/passes/slog"
	"golang.org/x/tools/go/analysis/passes/stdmethods"
	"golang.org/x/tools/go/analysis/passes/stdversion"
	"golang.org/x/tools/go/analysis/passes/stringintconv"
	"golang.org/x/tools/go/analysis/passes/structtag"
	"golang.org/x/tools/go/analysis/passes/testinggoroutine"
	"golang.org/x/tools/go/analysis/passes/tests"
	"golang.org/x/tools/go/analysis/passes/timeformat"
	"golang.org/x/tools/go/analysis/passes/unmarshal"
	"golang.org/x/tools/go/analysis/passes/unreachable"
	"golang.org/x/tools/go/analysis/passes/unsafeptr"
	"golang.org/x/tools/go/analysis/passes/unusedresult"
	"golang.org/x/tools/go/packages"

	"github.com/stytchkit/m2m/internal/heavy"
)

// platforms are one of 32 bits, and those whose files Linux leaves out.
var platforms = []string{"linux/386", "windows/amd64", "darwin/arm64"}

var analyzers = []*analysis.Analyzer{
	assign.Analyzer, atomic.Analyzer, bools.Analyzer, buildtag.Analyzer, composite.Analyzer, copylock.Analyzer,
	defers.Analyzer, directive.Analyzer, errorsas.Analyzer, httpresponse.Analyzer, ifaceassert.Analyzer,
	lostcancel.Analyzer, nilfunc.Analyzer, shift.Analyzer, sigchanyzer.Analyzer, slog.Analyzer, stdmethods.Analyzer,
	stdversion.Analyzer, stringintconv.Analyzer, structtag.Analyzer, testinggoroutine.Analyzer, tests.Analyzer,
	timeformat.Analyzer, unmarshal.Analyzer, unreachable.Analyzer, unsafeptr.Analyzer, unusedresult.Analyzer,
}

func TestPlatforms(t *testing.T) {
	heavy.Only(t)
	dirs := modules(t)
	work := workspace(t, dirs)
	for _, platform := range platforms {
		t.Run(platform, func(t *testing.T) { check(t, dirs, work, platform) })
	}
}

func check(t *testing.T, dirs []string, work, platform string) {
	system, architecture, _ := strings.Cut(platform, "/")
	var patterns []string
	for _, dir := range dirs {
		patterns = append(patterns, dir+"/...")
	}
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedModule |
			packages.NeedTypes | packages.NeedTypesInfo | packages.NeedTypesSizes | packages.NeedSyntax,
		Dir: dirs[0], Tests: true, ParseFile: parse(t),
		Env: append(os.Environ(), "GOWORK="+work, "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+architecture),
	}, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	broken := false
	for _, p := range loaded {
		for _, err := range p.Errors {
			broken = true
			t.Error(err)
		}
	}
	if len(loaded) == 0 || broken {
		t.Fatalf("%d packages loaded, with the errors above", len(loaded))
	}
	graph, err := checker.Analyze(analyzers, loaded, nil)
	if err != nil {
		t.Fatal(err)
	}
	for action := range graph.All() {
		if action.Err != nil {
			t.Error(action, action.Err)
		}
		for _, d := range action.Diagnostics {
			if action.IsRoot {
				t.Errorf("%s: %s", action.Package.Fset.Position(d.Pos), d.Message)
			}
		}
	}
}

// parse reads a file. Of those outside of the repository the declarations suffice.
func parse(t *testing.T) func(*token.FileSet, string, []byte) (*ast.File, error) {
	own := root(t) + string(filepath.Separator)
	return func(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
		mode := parser.AllErrors | parser.SkipObjectResolution
		if strings.HasPrefix(name, own) {
			mode |= parser.ParseComments
		}
		return parser.ParseFile(fset, name, src, mode)
	}
}

// workspace joins the modules, so that what they share is read once.
func workspace(t *testing.T, dirs []string) string {
	t.Helper()
	var file strings.Builder
	file.WriteString("go 1.25.0\n")
	for _, dir := range dirs {
		fmt.Fprintf(&file, "use %s\n", dir)
	}
	name := filepath.Join(t.TempDir(), "go.work")
	if err := os.WriteFile(name, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// modules are the folders of the repository that hold a module.
func modules(t *testing.T) (dirs []string) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "go.mod", "*/go.mod")
	list.Dir = root(t)
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(out)) {
		if strings.HasPrefix(name, "tools/") {
			continue // programs for those who change this repository, with a newer Go than its floor
		}
		dirs = append(dirs, filepath.Join(root(t), filepath.Dir(name)))
	}
	return dirs
}

// root is the folder of the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
