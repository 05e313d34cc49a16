//go:build unix

package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stytchkit/m2m/stytch"
	"github.com/stytchkit/m2m/stytch/emulator"
	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/audit"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// Who rotated what, and when: a line for each change of state, and a check that none was changed.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "audit")
	check(err)
	defer os.RemoveAll(dir)
	first := secret.Generate()
	local, err := emulator.Start(emulator.WithM2MClient(emulator.M2MClientSeed{ClientID: "billing", Secret: first.Reveal(), Scopes: []string{"a"}}))
	check(err)
	defer local.Close()
	api, err := stytch.New(local.ProjectID, local.Secret, stytch.WithBaseURL(local.URL))
	check(err)
	file := deliver.File(filepath.Join(dir, "billing.json"))
	check(file.Deliver(ctx, rotate.Delivery{ClientID: "billing", Secret: first}))
	journal, err := filejournal.New(filepath.Join(dir, "journal"), local.ProjectID)
	check(err)

	path := filepath.Join(dir, "rotations.ndjson")
	log, err := audit.Open(ctx, path, journal, audit.WithActor("deploy job 4711"))
	check(err)
	rotator, err := rotate.New(api.M2M.Secrets, file, journal, rotate.WithObserver(log.Observe))
	check(err)
	check(rotator.Run(ctx, "billing"))
	check(errors.Join(log.Err(), log.Close()))

	text, err := os.ReadFile(path)
	check(err)
	summary, err := audit.Verify(bytes.NewReader(text))
	fmt.Println(summary.Lines, "lines,", err)
	text = bytes.Replace(text, []byte("4711"), []byte("4712"), 1)
	_, err = audit.Verify(bytes.NewReader(text))
	fmt.Println("changed:", errors.Is(err, audit.ErrBroken))
	// Output:
	// 6 lines, <nil>
	// changed: true
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
