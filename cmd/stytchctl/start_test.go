package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/heavy"
)

const sizeLimit = 35_000_000

const hello = `package main

import "fmt"

func main() { fmt.Println("hello") }
`

// The program is not too large.
func TestSize(t *testing.T) {
	heavy.Only(t)
	own := filepath.Join(t.TempDir(), "stytchctl")
	build(t, own, ".")
	info, err := os.Stat(own)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	if info.Size() > sizeLimit {
		t.Errorf("the program has %d bytes, want at most %d", info.Size(), sizeLimit)
	}
}

// BenchmarkStart compares the start of the program with that of one that does nothing, in turns, so
// that a busy machine slows both down.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hello.go"), []byte(hello), 0o600); err != nil {
		b.Fatal(err)
	}
	own, other := filepath.Join(dir, "stytchctl"), filepath.Join(dir, "hello")
	build(b, own, ".")
	build(b, other, filepath.Join(dir, "hello.go"))
	var ownTimes, otherTimes []time.Duration
	for b.Loop() {
		for range 51 {
			ownTimes = append(ownTimes, run(b, own, "version"))
			otherTimes = append(otherTimes, run(b, other))
		}
	}
	b.ReportMetric(median(ownTimes).Seconds()*1000, "stytchctl-ms")
	b.ReportMetric(median(otherTimes).Seconds()*1000, "hello-ms")
	b.ReportMetric(0, "ns/op")
}

func build(t testing.TB, output, source string) {
	t.Helper()
	// As make install does, but for -trimpath: with it the standard library and every dependency
	// would be compiled once more.
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", output, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

func run(t testing.TB, name string, args ...string) time.Duration {
	t.Helper()
	start := time.Now()
	if err := exec.Command(name, args...).Run(); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

func median(times []time.Duration) time.Duration {
	times = slices.Sorted(slices.Values(times))
	return times[len(times)/2]
}
