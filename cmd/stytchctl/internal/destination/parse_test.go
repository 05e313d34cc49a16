package destination

import (
	"strings"
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch/rotate"
)

func environment(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

var vaultEnv = environment(map[string]string{"VAULT_ADDR": "https://vault.internal:8200", "VAULT_TOKEN": "t-Canary-77"})

func TestParse(t *testing.T) {
	for spec, want := range map[string]struct {
		name       string
		many       bool
		unreadable bool
	}{
		"file:/run/a.json":                                  {name: "/run/a.json"},
		"file:/run/{client_id}/a.json":                      {name: "/run/worker/a.json", many: true},
		"folder:/run/stytch":                                {name: "/run/stytch/worker.json", many: true},
		"exec:store --for 'a b'":                            {name: "exec:store", many: true, unreadable: true},
		"vault:secret/stytch/{client_id}":                   {name: "vault:secret/stytch/worker", many: true},
		"vault:secret/stytch/billing":                       {name: "vault:secret/stytch/billing"},
		"vault:team/kv:stytch/billing":                      {name: "vault:team/kv:stytch/billing"},
		"aws:stytch/{client_id}":                            {name: "aws:stytch/worker", many: true},
		"aws:billing?region=eu-west-1":                      {name: "aws:billing"},
		"aws:arn:aws:secretsmanager:eu-west-1:1:secret:b-1": {name: "aws:arn:aws:secretsmanager:eu-west-1:1:secret:b-1"},
	} {
		place, err := Once(spec, vaultEnv)
		if err != nil {
			t.Errorf("%s: %v", spec, err)
			continue
		}
		if place.Name("worker") != want.name || place.Many() != want.many || place.Readable() == want.unreadable {
			t.Errorf("%s: name %q, many %v, readable %v; want %+v", spec, place.Name("worker"), place.Many(), place.Readable(), want)
		}
		if _, ok := place.target.Deliverer.(rotate.Checker); !ok {
			t.Errorf("%s is no checker", spec)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for spec, want := range map[string]string{
		"":                         "is no destination: begin with file:, folder:, exec:, vault:, k8s: or aws:",
		"/run/a.json":              "is no destination",
		"flie:/run/a.json":         `did you mean "file"?`,
		"s3:bucket":                "is no kind of destination. Begin with",
		"file:":                    "nothing follows the colon",
		"file:/run/":               "is a folder",
		"file:a\nb":                "must be one line",
		"file:/run/{clientid}":     "only {client_id} may stand in braces",
		"folder:/run/{client_id}":  "named for the clients already",
		"exec:  ":                  "the command has no program",
		"exec:a 'b":                "quotation mark ' is not closed",
		"exec:'' b":                "the command has no program",
		"vault:secret":             "has no path: write vault:MOUNT/PATH",
		"vault:/billing":           "has no path",
		"vault:secret/":            "has no path",
		"vault:{client_id}/a":      "cannot be in the mount",
		"k8s:billing":              "has no namespace and name",
		"k8s:a/b/c":                "has no namespace and name",
		"k8s:{client_id}/b":        "cannot be the namespace",
		"k8s:a/b#":                 "no key follows",
		"k8s:a/b":                  "this works in a pod only",
		"aws:?region=eu-west-1":    "the name of the secret is missing",
		"aws:billing?eu-west-1":    "only ?region=REGION may follow",
		"aws:billing?region=":      "only ?region=REGION may follow",
		"aws:billing?region=a&b=c": "only ?region=REGION may follow",
	} {
		_, err := Parse(spec, vaultEnv)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: the error is %v, want one with %q", spec, err, want)
		} else if cli.Classify(err) != cli.Usage {
			t.Errorf("%q: the class is %s", spec, cli.Classify(err))
		}
	}
	for want, env := range map[string]map[string]string{
		"VAULT_ADDR is not set":             {},
		"there is no token":                 {"VAULT_ADDR": "https://vault"},
		"must be https":                     {"VAULT_ADDR": "http://vault.internal:8200", "VAULT_TOKEN": "t-Canary-77"},
		"VAULT_CACERT: open":                {"VAULT_ADDR": "https://vault", "VAULT_TOKEN": "t-Canary-77", "VAULT_CACERT": "/absent"},
		"has no certificate in PEM":         {"VAULT_ADDR": "https://vault", "VAULT_TOKEN": "t-Canary-77", "VAULT_CACERT": "parse_test.go"},
		"Namespace must be printable ASCII": {"VAULT_ADDR": "https://vault", "VAULT_TOKEN": "t-Canary-77", "VAULT_NAMESPACE": "a b"},
	} {
		_, err := Parse("vault:secret/billing", environment(env))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Canary") {
			t.Errorf("%v: the error is %v, want one with %q", env, err, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for command, want := range map[string][]string{
		"a":                 {"a"},
		" a  b\tc ":         {"a", "b", "c"},
		`a 'b "c' "d 'e"`:   {"a", `b "c`, "d 'e"},
		`a b''c "" $HOME *`: {"a", "bc", "", "$HOME", "*"},
		`a\ b`:              {`a\`, "b"},
	} {
		got, err := split(command)
		if err != nil || strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
			t.Errorf("split(%q) = %q, %v; want %q", command, got, err, want)
		}
	}
}

// FuzzParse: whatever is accepted has a name that differs by client if it takes several, and an
// error never repeats the token.
func FuzzParse(f *testing.F) {
	for _, spec := range []string{"file:/a/{client_id}", "folder:x", "exec:a 'b c'", "vault:m:p/{client_id}", "k8s:a/b#c", "aws:n?region=r", ":", "{"} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		place, err := Once(spec, vaultEnv)
		if err != nil {
			if cli.Classify(err) != cli.Usage || strings.Contains(err.Error(), "Canary") && !strings.Contains(spec, "Canary") {
				t.Fatalf("%q: %v", spec, err)
			}
			return
		}
		if place.Many() && place.Readable() && place.Name("a") == place.Name("b") {
			t.Fatalf("%q: two clients share %s", spec, place.Name("a"))
		}
	})
}
