// Contractdiff compares the contract of the working tree, api/openapi.yaml, with an earlier
// version, and fails if callers would break. It is for those who edit the contract.
//
// Three judges look at each edit: the rules of internal/contractdiff, which know the extensions of
// this contract; oasdiff, which knows OpenAPI; and the generated code, which is what callers in Go
// see. What any of them calls a break is one, unless api/accepted-breaks.yaml says why it may be.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// The exit codes.
const (
	exitGood   = 0 // no break, or each is accepted
	exitBreaks = 1
	exitUsage  = 2 // the arguments or files do not allow a comparison
)

const usage = `usage: contractdiff [-base REVISION] [-json]
       contractdiff [-base REVISION] -changelog VERSION

`

func main() {
	os.Exit(run(context.Background(), ".", os.Args[1:], os.Stdout, os.Stderr))
}

// run compares the contract of the repository that a folder is in.
func run(ctx context.Context, dir string, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("contractdiff", flag.ContinueOnError)
	flags.SetOutput(stderr)
	base := flags.String("base", "", "compare with this `revision`, or with \"none\", an empty contract (default: the last release)")
	asJSON := flags.Bool("json", false, "print JSON")
	version := flags.String("changelog", "", "write the section of this `version` in api/CHANGELOG.md")
	flags.Usage = func() {
		_, _ = io.WriteString(stderr, usage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitGood
	} else if err != nil {
		return exitUsage
	}
	fail := func(err error) int {
		_, _ = io.WriteString(stderr, "contractdiff: "+err.Error()+"\n")
		return exitUsage
	}
	if flags.NArg() > 0 {
		return fail(fmt.Errorf("unexpected argument %q: name a revision with -base", flags.Arg(0)))
	}
	tree, err := openTree(ctx, dir)
	if err != nil {
		return fail(err)
	}
	result, err := tree.compare(ctx, *base)
	if errors.Is(err, errNothing) {
		_, _ = io.WriteString(stdout, "not compared: "+err.Error()+"\n")
		return exitGood
	}
	if err != nil {
		return fail(err)
	}
	switch {
	case *version != "":
		err = tree.writeChangelog(*version, result)
	case *asJSON:
		err = result.printJSON(stdout)
	default:
		err = result.print(stdout)
	}
	if err != nil {
		return fail(err)
	}
	if result.Breaks > 0 {
		return exitBreaks
	}
	return exitGood
}
