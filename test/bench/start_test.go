package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch"
)

// BenchmarkNew makes clients. That it needs no network is a test of package stytch.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := stytch.New(projectID, "secret-test-bench"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkConsumer builds a program that gets one client with the SDK, and one that does it with
// net/http.
func BenchmarkConsumer(b *testing.B) {
	const withSDK = `package main
import ("context"; "fmt"; "github.com/stytchkit/m2m/stytch")
func main() {
	api, err := stytch.FromEnv()
	if err != nil { panic(err) }
	client, err := api.M2M.Get(context.Background(), "x")
	fmt.Println(client, err)
}`
	const byHand = `package main
import ("encoding/json"; "fmt"; "net/http"; "os")
type answer struct{ Client struct{ ClientID string ` + "`json:\"client_id\"`" + ` } ` + "`json:\"m2m_client\"`" + ` }
func main() {
	req, err := http.NewRequest("GET", "https://test.stytch.com/v1/m2m/clients/x", nil)
	if err != nil { panic(err) }
	req.SetBasicAuth(os.Getenv("STYTCH_PROJECT_ID"), os.Getenv("STYTCH_PROJECT_SECRET"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil { panic(err) }
	defer resp.Body.Close()
	var a answer
	fmt.Println(json.NewDecoder(resp.Body).Decode(&a), a)
}`
	for b.Loop() {
		size := func(source string) float64 {
			dir, err := os.MkdirTemp(".", "consumer-") // inside the module, so that its dependencies resolve
			if err != nil {
				b.Fatal(err)
			}
			defer os.RemoveAll(dir)
			if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
				b.Fatal(err)
			}
			binary := filepath.Join(b.TempDir(), "consumer")
			if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, "./"+dir).CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			info, err := os.Stat(binary)
			if err != nil {
				b.Fatal(err)
			}
			return float64(info.Size())
		}
		sdk := size(withSDK)
		b.ReportMetric(sdk/1e6, "MB")
		b.ReportMetric(sdk/size(byHand), "of-net/http")
	}
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "github.com/stytchkit/m2m/stytch").Output()
	if err != nil {
		b.Fatal(err)
	}
	modules := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		modules[strings.TrimSpace(line)] = true
	}
	delete(modules, "")
	b.ReportMetric(float64(len(modules)-1), "modules")
	b.ReportMetric(0, "ns/op")
}
