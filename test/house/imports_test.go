package house

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// mayImport is who may import whom of this repository, tests aside. A package that is not listed
// here may import nothing of it, and a new arrow needs a new word here, and a reason.
var mayImport = map[string][]string{
	"api":                      {},
	"api/codegen/newoperation": {},
	"api/codegen/operations":   {},
	"gen":                      {"stytch/metadata", "stytch/secret"},
	"gen/server":               {},

	// Leaves.
	"stytch/metadata": {},
	"stytch/secret":   {},

	// One home for each rule that several packages keep.
	"internal/atomicfile":          {},
	"internal/conns":               {},
	"internal/cputime":             {},
	"internal/contract":            {"api"},
	"internal/contractdiff":        {},
	"internal/credentials":         {"stytch/secret"},
	"internal/dump":                {},
	"internal/fastjson":            {},
	"internal/guard":               {},
	"internal/heavy":               {},
	"internal/jwks":                {"internal/conns", "internal/guard", "internal/project", "internal/redact", "internal/strictjson"},
	"internal/operation":           {},
	"internal/project":             {"stytch/secret"},
	"internal/project/projecttest": {},
	"internal/rate":                {},
	"internal/redact":              {"stytch/secret"},
	"internal/retry":               {"internal/operation"},
	"internal/seal":                {"stytch/secret"},
	"internal/sleep":               {},
	"internal/strictjson":          {},
	"internal/vectors":             {},

	"stytch": {
		"gen", "internal/conns", "internal/credentials", "internal/fastjson", "internal/guard", "internal/operation", "internal/project", "internal/redact", "internal/retry", "internal/sleep",
		"stytch/metadata", "stytch/secret",
	},
	"stytch/token":           {"internal/conns", "internal/credentials", "internal/guard", "internal/strictjson", "internal/operation", "internal/project", "internal/redact", "internal/retry", "internal/seal", "internal/sleep", "stytch/secret"},
	"stytch/token/storetest": {},
	// A resource server links no management client.
	"stytch/verify": {"internal/guard", "internal/jwks", "internal/project", "internal/redact", "internal/strictjson"},
	// The engine knows no HTTP.
	"stytch/rotate": {
		"internal/guard", "internal/project", "internal/rate", "internal/redact", "internal/seal", "internal/sleep", "internal/strictjson", "stytch/secret",
	},
	"stytch/rotate/deliver":     {"internal/atomicfile", "internal/conns", "internal/credentials", "internal/project", "internal/redact", "internal/sleep", "stytch/rotate", "stytch/secret"},
	"stytch/rotate/filejournal": {"internal/atomicfile", "internal/project", "stytch/rotate", "stytch/secret"},
	"stytch/rotate/audit":       {"internal/atomicfile", "stytch/rotate"},
	"stytch/rotate/fleet":       {"internal/guard", "internal/project", "internal/redact", "stytch/rotate", "stytch/rotate/audit"},
	"stytch/rotate/journaltest": {"internal/sleep", "stytch/rotate", "stytch/secret"},
	// Client and server meet only in the YAML.
	"stytch/emulator":              {"api", "gen/server", "internal/guard", "internal/project", "internal/sleep"},
	"stytch/emulator/emulatortest": {"stytch/emulator"},

	"contrib/awssecrets": {"internal/credentials", "internal/project", "internal/redact", "stytch/rotate", "stytch/secret"},
	"contrib/m2mgrpc":    {"internal/guard", "stytch/token", "stytch/verify"},
	"contrib/oauth2":     {"stytch/token"},
	"contrib/postgres":   {"internal/project", "internal/rate", "internal/redact", "internal/sleep", "stytch/rotate", "stytch/rotate/fleet", "stytch/secret"},
	"contrib/redis":      {"internal/guard", "stytch/token"},

	"bench":                  {"internal/cputime", "internal/vectors", "stytch/secret", "stytch/token", "stytch/verify"},
	"examples/demo":          {"stytch", "stytch/emulator", "stytch/rotate", "stytch/rotate/deliver", "stytch/rotate/filejournal", "stytch/secret"},
	"examples/recipes":       {"stytch", "stytch/token", "stytch/verify"},
	"examples/observability": {"stytch", "stytch/emulator"},
	"examples/servers/chi":   {"stytch/verify"},
	"examples/servers/echo":  {"stytch/verify"},
	"examples/servers/gin":   {"stytch/verify"},
	"examples/servers/mcp":   {"stytch/verify"},
	"examples/servers/internal/try": {
		"stytch/emulator", "stytch/emulator/emulatortest", "stytch/secret", "stytch/token", "stytch/verify",
	},
	"test/contractassets": {},
	"test/conformance":    {"gen", "internal/contract", "stytch", "stytch/metadata", "stytch/secret"},
	"test/drift":          {}, // tests only
	"test/house":          {"test/workspace"},
	"test/platforms":      {}, // tests only
	"test/mutate":         {},
	"test/release":        {},
	"test/release/tool":   {"test/release"},
	"test/torture":        {},
	"test/workspace":      {},
	"tools/contractdiff":  {"internal/contractdiff"},
}

func TestImports(t *testing.T) {
	known := map[string]bool{}
	for _, s := range sources(t) {
		name := s.path()
		if strings.HasPrefix(name, command) {
			continue // see TestCommandImports
		}
		known[name] = true
		for _, path := range s.Imports {
			to, own := strings.CutPrefix(path, modulePath+"/")
			if own && !slices.Contains(mayImport[name], to) {
				t.Errorf("%s imports %s: see mayImport", name, to)
			}
		}
		if _, listed := mayImport[name]; !listed {
			t.Errorf("%s is new: list in mayImport what it may import", name)
		}
	}
	for name := range mayImport {
		if !known[name] && !isLeftOut(t, name) {
			t.Errorf("%s is listed in mayImport and is not there", name)
		}
	}
}

// isLeftOut reports whether a package is in a module that needs a newer Go than this one.
func isLeftOut(t *testing.T, name string) bool {
	t.Helper()
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	_, leftOut, err := allModules(root)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(leftOut, func(dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") })
}

const (
	command  = "cmd/stytchctl"
	commands = command + "/internal/command/"
)

// The command may import every package. Within it, a group of commands imports engines and package
// cli, and no other group; an engine knows no command line.
func TestCommandImports(t *testing.T) {
	for _, s := range sources(t) {
		name := s.path()
		if !strings.HasPrefix(name, command) {
			continue
		}
		group, engine := strings.HasPrefix(name, commands), strings.HasPrefix(name, command+"/internal/") && !strings.HasPrefix(name+"/", commands)
		for _, path := range s.Imports {
			to, _ := strings.CutPrefix(path, modulePath+"/")
			switch {
			case (group || engine) && strings.HasPrefix(to+"/", commands):
				t.Errorf("%s imports %s: only the root command knows the groups", name, to)
			case name == command+"/internal/cli" && strings.HasPrefix(to, command):
				t.Errorf("%s imports %s: what all commands share knows none of them", name, to)
			case engine && !mayKnowFlags[name] && (path == "github.com/spf13/cobra" || path == "github.com/spf13/pflag"):
				t.Errorf("%s imports %s: read flags in %s", name, path, commands)
			}
		}
	}
}

// mayKnowFlags are the engines that are about the command line itself.
var mayKnowFlags = map[string]bool{
	command + "/internal/cli":         true,
	command + "/internal/completion":  true,
	command + "/internal/destination": true,
	command + "/internal/reference":   true,
}

// thirdParty are the modules of others that reach the users of a package, over all of its
// dependencies. For the packages of contrib it is those that they are made for, and what comes with
// them.
var thirdParty = map[string][]string{
	"gen":                          {"github.com/apapsch/go-jsonmerge/v2", "github.com/google/uuid", "github.com/oapi-codegen/nullable", "github.com/oapi-codegen/runtime"},
	"gen/server":                   {"github.com/apapsch/go-jsonmerge/v2", "github.com/google/uuid", "github.com/oapi-codegen/runtime"},
	"stytch":                       {"github.com/apapsch/go-jsonmerge/v2", "github.com/cenkalti/backoff/v5", "github.com/google/uuid", "github.com/oapi-codegen/nullable", "github.com/oapi-codegen/runtime"},
	"stytch/emulator":              {"github.com/apapsch/go-jsonmerge/v2", "github.com/google/uuid", "github.com/oapi-codegen/runtime"},
	"stytch/emulator/emulatortest": {"github.com/apapsch/go-jsonmerge/v2", "github.com/google/uuid", "github.com/oapi-codegen/runtime"},
	"stytch/metadata":              {},
	"stytch/rotate":                {},
	"stytch/rotate/deliver":        {},
	"stytch/rotate/filejournal":    {},
	"stytch/rotate/audit":          {},
	"stytch/rotate/fleet":          {},
	"stytch/rotate/journaltest":    {},
	"stytch/secret":                {},
	"stytch/token":                 {"github.com/cenkalti/backoff/v5"},
	"stytch/token/storetest":       {},
	"stytch/verify":                {},

	"contrib/awssecrets": {
		"github.com/aws/aws-sdk-go-v2", "github.com/aws/aws-sdk-go-v2/internal/configsources", "github.com/aws/aws-sdk-go-v2/internal/endpoints/v2",
		"github.com/aws/aws-sdk-go-v2/service/secretsmanager", "github.com/aws/smithy-go",
	},
	"contrib/m2mgrpc": {
		"github.com/cenkalti/backoff/v5", "golang.org/x/net", "golang.org/x/sys", "golang.org/x/text",
		"google.golang.org/genproto/googleapis/rpc", "google.golang.org/grpc", "google.golang.org/protobuf",
	},
	"contrib/oauth2": {"github.com/cenkalti/backoff/v5", "golang.org/x/oauth2"},
	"contrib/postgres": {
		"github.com/jackc/pgpassfile", "github.com/jackc/pgservicefile", "github.com/jackc/pgx/v5", "github.com/jackc/puddle/v2",
		"golang.org/x/sync", "golang.org/x/text",
	},
	"contrib/redis": {
		"github.com/cenkalti/backoff/v5", "github.com/cespare/xxhash/v2", "github.com/redis/go-redis/v9", "go.uber.org/atomic", "golang.org/x/sys",
	},
}

func TestThirdParty(t *testing.T) {
	missing := maps.Clone(thirdParty)
	for _, s := range sources(t) {
		want, listed := thirdParty[s.path()]
		delete(missing, s.path())
		if !listed {
			if strings.HasPrefix(s.path(), "stytch") || strings.HasPrefix(s.path(), "contrib") {
				t.Errorf("%s is new: list in thirdParty what it brings its users", s.path())
			}
			continue
		}
		if got := s.thirdParty(); !slices.Equal(got, want) {
			t.Errorf("%s brings its users %q, want %q", s.path(), got, want)
		}
	}
	for name := range missing {
		t.Errorf("%s is listed in thirdParty and is not there", name)
	}
}
