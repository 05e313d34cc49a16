package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"stytchctl": main})
}

// TestScripts runs the command line as users do, each script against a project of its own. The
// folders of testdata/script are named for the groups of commands. See script_commands_test.go for
// what scripts can say.
func TestScripts(t *testing.T) {
	groups, err := filepath.Glob("testdata/script/*")
	if err != nil || len(groups) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, group := range groups {
		t.Run(filepath.Base(group), func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Dir:                 group,
				Setup:               setUp,
				Cmds:                scriptCommands,
				Condition:           scriptCondition,
				RequireExplicitExec: true,
				UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
			})
		})
	}
}
