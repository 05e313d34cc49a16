package emulator_test

import (
	"testing"
	"time"
)

// BenchmarkStart reports how long it takes until a server is ready, beside how long the program
// takes to print its version: what is left is the server's own part.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	serve(b, dir, "--data", "data.db").stop(b) // makes the file
	var ready, version time.Duration
	for b.Loop() {
		began := time.Now()
		p := serve(b, dir, "--data", "data.db")
		ready += time.Since(began)
		p.stop(b)

		began = time.Now()
		cmd := stytchctl(b.Context(), dir, "version")
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		version += time.Since(began)
	}
	b.ReportMetric(float64(ready.Milliseconds())/float64(b.N), "ready-ms")
	b.ReportMetric(float64(version.Milliseconds())/float64(b.N), "version-ms")
	b.ReportMetric(0, "ns/op")
}
