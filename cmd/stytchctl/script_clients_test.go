package main

import (
	"encoding/json"

	"github.com/rogpeppe/go-internal/testscript"
)

func init() {
	scriptCommands["follow"] = followCursor
}

// followCursor puts the cursor that a list printed for programs into CURSOR: follow FILE.
func followCursor(ts *testscript.TestScript, _ bool, args []string) {
	var line struct {
		Next string `json:"next_cursor"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &line))
	ts.Setenv("CURSOR", line.Next)
}
