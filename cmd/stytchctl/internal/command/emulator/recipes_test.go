package emulator_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/seed"
	"github.com/stytchkit/m2m/internal/heavy"
)

const (
	root    = "../../../../.."
	recipes = root + "/examples/recipes"
)

// Recipes show what is in the folder, so that what was tested is what people copy.
func TestRecipesAreShown(t *testing.T) {
	page := readFile(t, root+"/docs/emulator.md")
	for _, name := range []string{"main.go", "m2m.mjs", "m2m.py", "M2M.java", "M2M.cs", "Containerfile"} {
		text := readFile(t, filepath.Join(recipes, name))
		if name == "main.go" { // without the frame that every program has
			_, body, _ := strings.Cut(text, "func main() {\n")
			body, _, _ = strings.Cut(body, "\n}\n")
			text = strings.ReplaceAll(strings.TrimPrefix(body, "\t"), "\n\t", "\n") + "\n"
		}
		if !strings.Contains(page, "\n"+text+"```\n") {
			t.Errorf("docs/emulator.md does not show %s as it is", name)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// recipe runs a program with what serve prints for the environment.
func recipe(t *testing.T, p *process, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"STYTCH_BASE_URL="+p.URL, "STYTCH_PROJECT_ID="+p.ProjectID, "STYTCH_PROJECT_SECRET="+seed.DefaultSecret)
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return string(output)
}

func TestPythonRecipe(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not on the PATH: install it to run the recipe")
	}
	if got := recipe(t, serve(t, t.TempDir()), recipes, python, "m2m.py"); got != "bearer 3600 True\n" {
		t.Errorf("it prints %q", got)
	}
}

func TestGoRecipe(t *testing.T) {
	heavy.Only(t) // compiles the SDK
	if got := recipe(t, serve(t, t.TempDir()), root, "go", "run", "./examples/recipes"); got != "true [read:users]\n" {
		t.Errorf("it prints %q", got)
	}
}
