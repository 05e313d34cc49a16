package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/command"
)

// scripts are the texts of all scripts.
func scripts(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("testdata/script/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var all strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
		all.WriteByte('\n')
	}
	return all.String()
}

// Each exit code is one that some script ends with.
func TestEveryExitCodeHasAScript(t *testing.T) {
	seen := map[int]bool{}
	for _, match := range regexp.MustCompile(`(?m)^(?:\[[^]]*\] )*ctl (\d+) `).FindAllStringSubmatch(scripts(t), -1) {
		code, _ := strconv.Atoi(match[1])
		seen[code] = true
	}
	if regexp.MustCompile(`(?m)^interrupt `).MatchString(scripts(t)) {
		seen[cli.Interrupted.ExitCode()] = true
	}
	for _, info := range cli.Classes {
		if !seen[info.Code] {
			t.Errorf("no script ends with exit code %d (%s)", info.Code, info.Class)
		}
	}
	for code := range seen {
		known := false
		for _, info := range cli.Classes {
			known = known || info.Code == code
		}
		if !known {
			t.Errorf("a script wants exit code %d, which is not documented", code)
		}
	}
}

// Each command is run by some script.
func TestEveryCommandHasAScript(t *testing.T) {
	text := scripts(t)
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, child := range cmd.Commands() {
			visit(child)
		}
		path := strings.TrimPrefix(cmd.CommandPath(), "stytchctl")
		run := regexp.MustCompile(`(?m)^(?:\[[^]]*\] )*(?:ctl(?: \d+)?|steps \d+|exec stytchctl|background|interrupt\b.*)` + regexp.QuoteMeta(path) + `\b`)
		if !cmd.HasSubCommands() && !cmd.Hidden && !run.MatchString(text) {
			t.Errorf("no script runs%s", path)
		}
	}
	visit(command.New(cli.New()))
}
