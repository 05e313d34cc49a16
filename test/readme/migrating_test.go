package readme_test

import (
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/emulator/emulatortest"
	tokens "github.com/stytchkit/m2m/stytch/token"
	"github.com/stytchkit/m2m/stytch/verify"
)

const migrating = "../../docs/migrating.md"

// setup is what the examples of the page need beyond the frame: a protected API that counts the
// calls it accepts, and an access token of each kind.
const setup = `
	verifier, err := verify.New(projectID, verify.WithBaseURL(baseURL))
	if err != nil {
		t.Fatal(err)
	}
	defer verifier.Close()
	accepted, stored := 0, 0
	mux.Handle("GET /invoices", verifier.Require("read:invoices")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { accepted++ })))
	store := func(id, value string) { stored++ }
	serve := func(*stytch.Client, *token.Source, *verify.Verifier) {}
	cleanups = append(cleanups, func() { fmt.Printf("%d calls, %d secrets, ", accepted, stored) })
	source, err := token.New(projectID, token.Static(clientID, clientSecret), token.WithBaseURL(baseURL))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	issued, err := source.Token(ctx)
	if err != nil {
		t.Fatal(err)
	}
	raw, appToken := issued.Value.Reveal(), os.Getenv("APP_TOKEN")
`

// TestMigrating runs the code of docs/migrating.md that can be run here: all but that of stytch-go,
// which must be Go, and call what the page has a counterpart for.
func TestMigrating(t *testing.T) {
	var snippets []string
	known := map[string]bool{}
	for _, row := range table(t, "calls") {
		known[strings.Trim(row[0], "`")] = true
	}
	called := regexp.MustCompile(`\bapi\.([\w.]+)\(`)
	for _, f := range fences(t, migrating) {
		if f.info != "stytch-go" {
			snippets = append(snippets, f.code)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() error {\n"+f.code+"\n}", 0); err != nil {
			t.Errorf("%v in\n%s", err, f.code)
		}
		for _, match := range called.FindAllStringSubmatch(f.code, -1) {
			if !known[match[1]] {
				t.Errorf("%s of stytch-go is in an example and not in the table of calls", match[1])
			}
		}
	}
	local := emulatortest.NewServer(t)
	got := runProgram(t, local, snippetProgram(setup, snippets), "APP_TOKEN="+appToken(t, local.Emulator))
	if want := "3 calls, 3 secrets, all ran\n"; !strings.HasSuffix(got, want) {
		t.Errorf("the page's programs printed %q, want %q at their end", got, want)
	}
}

// appToken is an access token that a Connected App got for a user.
func appToken(t *testing.T, local *emulator.Emulator, scopes ...string) string {
	t.Helper()
	projectID, _ := local.Credentials()
	return sign(t, local, map[string]any{
		"iss": "stytch.com/" + projectID, "aud": []string{projectID}, "jti": "1", "scope": strings.Join(scopes, " "),
		"sub": "user-test-11111111-1111-4111-8111-111111111111", "client_id": "connected-app-test-11111111-1111-4111-8111-111111111111",
		"iat": time.Now().Unix(), "nbf": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	})
}

func sign(t *testing.T, local *emulator.Emulator, claims map[string]any) string {
	t.Helper()
	raw, err := local.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestCalls looks up the counterparts that the page names.
func TestCalls(t *testing.T) {
	roots := map[string]reflect.Type{
		"stytch.M2M": reflect.TypeFor[*stytch.M2M](), "stytch.ConnectedApps": reflect.TypeFor[*stytch.ConnectedApps](),
		"stytch.OAuth": reflect.TypeFor[*stytch.OAuth](),
		"token.Source": reflect.TypeFor[*tokens.Source](), "verify.Verifier": reflect.TypeFor[*verify.Verifier](),
	}
	name := regexp.MustCompile("`(\\w+\\.\\w+)\\.([\\w.]+)`")
	rows := table(t, "calls")
	if len(rows) < 15 {
		t.Fatalf("the table of calls has %d rows", len(rows))
	}
	for _, row := range rows {
		found := name.FindAllStringSubmatch(row[1], -1)
		if len(found) == 0 {
			t.Errorf("%s has no counterpart: %s", row[0], row[1])
		}
		for _, match := range found {
			if !reaches(roots[match[1]], strings.Split(match[2], ".")) {
				t.Errorf("%s: there is no %s.%s", row[0], match[1], match[2])
			}
		}
	}
}

// reaches reports whether the path leads from a type over fields to a method.
func reaches(from reflect.Type, path []string) bool {
	if from == nil || len(path) == 0 {
		return false
	}
	if _, ok := from.MethodByName(path[0]); ok {
		return len(path) == 1
	}
	field, ok := from.Elem().FieldByName(path[0])
	return ok && reaches(field.Type, path[1:])
}

// table returns the rows of the table between two comments of the page, without its head.
func table(t *testing.T, name string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(migrating)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "<!-- "+name)
	if !found {
		t.Fatalf("the page has no table of %s", name)
	}
	rest, _, _ = strings.Cut(rest, "<!-- end")
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "| ") {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells)
		}
	}
	if len(rows) < 3 {
		t.Fatalf("the table of %s has %d rows", name, len(rows))
	}
	return rows[2:] // the head, and the line below it
}
