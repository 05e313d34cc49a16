package main

import (
	"encoding/json"

	"github.com/rogpeppe/go-internal/testscript"
)

func init() {
	scriptCommands["follow"] = followCursor
	scriptCommands["unquoted"] = unquoted
}

// unquoted puts the JSON string on stdout into a variable: unquoted VARIABLE.
func unquoted(ts *testscript.TestScript, _ bool, args []string) {
	var text string
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &text))
	ts.Setenv(args[0], text)
}

// followCursor puts the cursor that a list printed for programs into CURSOR: follow FILE.
func followCursor(ts *testscript.TestScript, _ bool, args []string) {
	var line struct {
		Next string `json:"next_cursor"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &line))
	ts.Setenv("CURSOR", line.Next)
}
