package stytch_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/stytchkit/m2m/"

// mayImport is who may import whom inside this module. A package that is not listed here may import nothing of it, and a
// new arrow needs a new word here, and a reason.
var mayImport = map[string][]string{
	"api":                       {},
	"api/codegen/operations":    {},
	"gen":                       {"stytch/secret", "stytch/metadata"},
	"gen/server":                {},
	"stytch/secret":             {},
	"stytch/metadata":           {},
	"internal/operation":        {},
	"internal/retry":            {"internal/operation"},
	"internal/fastjson":         {},
	"internal/baseurl":          {},
	"internal/redact":           {"stytch/secret"},
	"internal/seal":             {"stytch/secret"},
	"internal/project":          {"stytch/secret"},
	"internal/rate":             {},
	"internal/conns":            {},
	"stytch":                    {"gen", "stytch/secret", "stytch/metadata", "internal/operation", "internal/retry", "internal/fastjson", "internal/baseurl", "internal/redact", "internal/project", "internal/conns"},
	"stytch/emulator":           {"gen/server", "api", "internal/project"}, // never stytch or gen: client and server meet only in the YAML
	"internal/strictjson":       {},
	"internal/jwks":             {"internal/strictjson"},
	"stytch/verify":             {"internal/jwks", "internal/strictjson", "internal/baseurl", "internal/project", "internal/redact"}, // a resource server links no management client
	"stytch/token":              {"stytch/secret", "internal/operation", "internal/retry", "internal/baseurl", "internal/redact", "internal/seal", "internal/project"},
	"stytch/token/storetest":    {},
	"internal/atomicfile":       {},
	"stytch/rotate":             {"stytch/secret", "internal/atomicfile", "internal/strictjson", "internal/redact", "internal/seal", "internal/project", "internal/rate"}, // knows no HTTP
	"stytch/rotate/deliver":     {"stytch/rotate", "stytch/secret", "internal/atomicfile", "internal/redact", "internal/project"},
	"stytch/rotate/filejournal": {"stytch/rotate", "stytch/secret", "internal/atomicfile", "internal/project"},
	"stytch/rotate/journaltest": {"stytch/rotate", "stytch/secret"},
	"test/torture":              {}, // tests only
	"internal/contract":         {"api"},
	"test/conformance":          {"stytch", "gen", "stytch/secret", "stytch/metadata", "internal/contract"},
	"test/bench":                {},
	"examples/demo":             {"stytch", "stytch/emulator", "stytch/rotate", "stytch/rotate/deliver", "stytch/rotate/filejournal", "stytch/secret", "gen"},
}

// thirdParty is what reaches the users of a package, over all of its dependencies.
var thirdParty = map[string][]string{
	"stytch/secret":         {},
	"stytch/metadata":       {},
	"stytch/verify":         {},
	"stytch":                {"github.com/apapsch/go-jsonmerge/v2", "github.com/cenkalti/backoff/v5", "github.com/google/uuid", "github.com/oapi-codegen/nullable", "github.com/oapi-codegen/runtime"},
	"stytch/token":          {"github.com/cenkalti/backoff/v5"},
	"stytch/rotate":         {},
	"stytch/rotate/deliver": {},
	"stytch/emulator":       {"github.com/apapsch/go-jsonmerge/v2", "github.com/google/uuid", "github.com/oapi-codegen/runtime"},
}

type listed struct {
	ImportPath string
	Imports    []string
	Module     *struct{ Path string }
}

func goList(t *testing.T, args ...string) (packages []listed) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Module"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p listed
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	return packages
}

func TestImports(t *testing.T) {
	for _, p := range goList(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, path := range p.Imports {
			if to, ours := strings.CutPrefix(path, module); ours && !slices.Contains(mayImport[name], to) {
				t.Errorf("%s imports %s: see mayImport", name, to)
			}
		}
		if _, known := mayImport[name]; !known {
			t.Errorf("%s is new: say in mayImport what it may import", name)
		}
	}
}

func TestThirdParty(t *testing.T) {
	for name, want := range thirdParty {
		var got []string
		for _, p := range goList(t, "-deps", "./"+name) {
			if p.Module != nil && p.Module.Path+"/" != module && !slices.Contains(got, p.Module.Path) {
				got = append(got, p.Module.Path)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s brings its users %v, want %v", name, got, want)
		}
	}
}
