package command

import (
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/stytch"
)

type version struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func newVersion(app *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cli.NoArgs,
		Long:    "Prints the version of the program, and of the Go toolchain that built it.",
		Example: "  stytchctl version --jq .version",
		RunE: func(*cobra.Command, []string) error {
			return cli.PrintOne(app, version{current(), runtime.Version(), runtime.GOOS, runtime.GOARCH},
				cli.Column[version]{Field: "version", Title: "VERSION"},
				cli.Column[version]{Field: "go", Title: "GO"},
				cli.Column[version]{Field: "os", Title: "OS"},
				cli.Column[version]{Field: "arch", Title: "ARCH"})
		},
	}
}

// current is the version under which the module was installed, or that of the SDK in a build from a
// clone.
func current() string {
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return stytch.Version
}
