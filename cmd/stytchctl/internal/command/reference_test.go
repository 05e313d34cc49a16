package command

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/reference"
)

var update = flag.Bool("update", false, "write docs/stytchctl.md")

const page = "../../../../docs/stytchctl.md"

// docs/stytchctl.md is what the commands say of themselves.
func TestReference(t *testing.T) {
	want := reference.Markdown(New(cli.New()))
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/stytchctl.md is not what the commands say: run make docs")
	}
}

// Every command says what it does, with an example; its texts fit a terminal of 100 columns.
func TestCommandsAreDescribed(t *testing.T) {
	each(New(cli.New()), func(cmd *cobra.Command) {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: its short text is %q", cmd.CommandPath(), cmd.Short)
		}
		if !cmd.HasSubCommands() && (cmd.Long == "" || cmd.Example == "") {
			t.Errorf("%s: it lacks a long text or an example", cmd.CommandPath())
		}
		for line := range strings.SplitSeq(cmd.Long, "\n") {
			if len([]rune(line)) > 100 {
				t.Errorf("%s: %q is longer than 100 columns", cmd.CommandPath(), line)
			}
		}
	})
}

// No flag takes a secret: its name would say so, and end in -file.
func TestNoFlagTakesASecret(t *testing.T) {
	secret := regexp.MustCompile(`secret|password|token|key`)
	allowed := regexp.MustCompile(`-file$|-socket$|^secret-to$|^token-expiry$|^take-over$|^reveal$|^keys$|^tls-key$|^signing-key$|^keep$|-template$`)
	each(New(cli.New()), func(cmd *cobra.Command) {
		for _, flag := range strings.Fields(cmd.LocalFlags().FlagUsages()) {
			name, ok := strings.CutPrefix(flag, "--")
			if ok && secret.MatchString(name) && !allowed.MatchString(name) {
				t.Errorf("%s: --%s", cmd.CommandPath(), name)
			}
		}
	})
}

// each visits a command and all below it.
func each(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, child := range cmd.Commands() {
		each(child, f)
	}
}
