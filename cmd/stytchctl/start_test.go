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

const (
	startLimit = 30 * time.Millisecond // over a program that does nothing
	sizeLimit  = 35 << 20
)

const hello = `package main

import "fmt"

func main() { fmt.Println("hello") }
`

// The program starts about as fast as one that does nothing, and is not too large. Both are started
// in turn, so that a busy machine slows both down.
func TestStart(t *testing.T) {
	heavy.Only(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hello.go"), []byte(hello), 0o600); err != nil {
		t.Fatal(err)
	}
	own, other := filepath.Join(dir, "stytchctl"), filepath.Join(dir, "hello")
	build(t, own, ".")
	build(t, other, filepath.Join(dir, "hello.go"))
	info, err := os.Stat(own)
	if err != nil {
		t.Fatal(err)
	}

	var ownTimes, otherTimes []time.Duration
	for range 51 {
		ownTimes = append(ownTimes, run(t, own, "version"))
		otherTimes = append(otherTimes, run(t, other))
	}
	surplus, limit := median(ownTimes)-median(otherTimes), startLimit
	if usual := 3 * time.Millisecond; median(otherTimes) > usual { // on a busy machine everything takes longer
		limit = time.Duration(float64(limit) * float64(median(otherTimes)) / float64(usual))
	}
	t.Logf("stytchctl version: %v, hello: %v, surplus %v; %d bytes", median(ownTimes), median(otherTimes), surplus, info.Size())
	if surplus > limit {
		t.Errorf("starting takes %v longer than a program that does nothing, want at most %v", surplus, limit)
	}
	if info.Size() > sizeLimit {
		t.Errorf("the program has %d bytes, want at most %d", info.Size(), sizeLimit)
	}
}

func build(t *testing.T, output, source string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", output, source)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

func run(t *testing.T, name string, args ...string) time.Duration {
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
