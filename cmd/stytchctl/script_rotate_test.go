package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stytchkit/m2m/stytch/rotate"
	"github.com/stytchkit/m2m/stytch/rotate/deliver"
	"github.com/stytchkit/m2m/stytch/rotate/filejournal"
	"github.com/stytchkit/m2m/stytch/secret"
)

// place FILE ID SECRET    writes the credentials of a client to a file, as a deliverer does
// works ID FILE           wants the file to hold a secret of the client that works
// learn FILE              lets canaries and ctl look for the secrets in a file, too
// age FILE DURATION       makes a record in a journal without keys or secrets older
// minted N                wants that N tokens were billed since the script began (works costs one)
func init() {
	scriptCommands["place"] = putPlace
	scriptCommands["works"] = tryPlace
	scriptCommands["learn"] = learnSecrets
	scriptCommands["age"] = ageRecord
	scriptCommands["minted"] = countTokens
}

func putPlace(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: place FILE ID SECRET")
	}
	path := ts.MkAbs(args[0])
	_ = os.Remove(path)
	ts.Check(deliver.File(path).Deliver(context.Background(), rotate.Delivery{ClientID: args[1], Secret: secret.New(args[2])}))
}

// credentials are what a place holds.
type credentials struct {
	ClientID string `json:"client_id"`
	Secret   string `json:"client_secret"`
	Previous string `json:"previous_client_secret"`
}

func readPlace(ts *testscript.TestScript, file string) (held credentials) {
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &held))
	return held
}

func tryPlace(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: works ID FILE")
	}
	held := readPlace(ts, args[1])
	accepted, err := of(ts).api.M2M.Secrets.Probe(context.Background(), args[0], secret.New(held.Secret))
	ts.Check(err)
	if !accepted || held.ClientID != args[0] || held.Previous != "" {
		ts.Fatalf("works: %s holds no secret of %s that works, or two", args[1], args[0])
	}
}

func learnSecrets(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		held := readPlace(ts, file)
		for _, text := range []string{held.Secret, held.Previous} {
			if text != "" {
				of(ts).canaries = append(of(ts).canaries, text)
			}
		}
	}
}

func countTokens(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: minted N")
	}
	if got := of(ts).local.TokensMinted(""); strconv.Itoa(got) != args[0] {
		ts.Fatalf("minted: %d tokens, want %s", got, args[0])
	}
}

// ageRecord moves the times of the finished record of a client back.
func ageRecord(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: age FILE DURATION")
	}
	by, err := time.ParseDuration(args[1])
	ts.Check(err)
	path := ts.MkAbs(args[0])
	journal, err := filejournal.New(filepath.Dir(path), ts.Getenv("STYTCH_PROJECT_ID"))
	ts.Check(err)
	claim, err := journal.Claim(context.Background(), strings.TrimSuffix(filepath.Base(path), ".json"), time.Minute)
	ts.Check(err)
	record := claim.Record()
	record.UpdatedAt = record.UpdatedAt.Add(-by)
	ts.Check(claim.Write(context.Background(), record))
	ts.Check(claim.Release(context.Background()))
}
