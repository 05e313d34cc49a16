package main

import (
	"context"
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/secret"
)

func init() {
	scriptCommands["place"] = putPlace
}

// putPlace writes the credentials of a client to a file, as a deliverer does.
//
//	place FILE ID SECRET
func putPlace(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: place FILE ID SECRET")
	}
	path := ts.MkAbs(args[0])
	_ = os.Remove(path)
	ts.Check(deliver.File(path).Deliver(context.Background(), rotate.Delivery{ClientID: args[1], Secret: secret.New(args[2])}))
}
