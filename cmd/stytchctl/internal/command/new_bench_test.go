package command

import (
	"testing"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
)

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		New(cli.New())
	}
}
