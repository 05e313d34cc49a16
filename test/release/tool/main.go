// Command tool makes a release, and the checks of one that are of use at any time:
//
//	tool release -version v0.2.0 [-tag]   everything that is published, in a folder
//	tool licenses                         the licenses of all dependencies
//	tool api-changes                      changes of the exported API since the last version
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/stytchkit/m2m/test/release"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // the signal handler ends with the process
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("release: arguments: none: name one of release, licenses and api-changes")
	}
	o := release.Options{Log: os.Stdout}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	flags.StringVar(&o.Repository, "repository", "..", "folder of the repository")
	flags.StringVar(&o.Version, "version", "", "version to release, such as v0.2.0")
	flags.StringVar(&o.Dist, "dist", filepath.Join("..", "dist"), "folder for the files of the release")
	platforms := flags.String("platforms", strings.Join(release.Platforms, ","), "platforms for which the command is built, or none")
	flags.StringVar(&o.BOMTool, "bom-tool", "", "path of cyclonedx-gomod")
	flags.StringVar(&o.APITool, "api-tool", "", "path of apidiff")
	flags.BoolVar(&o.Tag, "tag", false, "also make the tags in the repository; nothing is pushed")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	o.Platforms = strings.FieldsFunc(*platforms, func(r rune) bool { return r == ',' })
	var err error
	for _, dir := range []*string{&o.Repository, &o.Dist} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return err
		}
	}
	switch args[0] {
	case "release":
		return release.Prepare(ctx, o)
	case "licenses":
		return licenses(ctx, o.Repository)
	case "api-changes":
		text, err := release.APIChanges(ctx, o.Repository, o.APITool)
		fmt.Print(text)
		return err
	}
	return fmt.Errorf("release: arguments: %q is none of release, licenses and api-changes", args[0])
}

func licenses(ctx context.Context, repository string) error {
	all, err := release.Dependencies(ctx, repository)
	for _, d := range all {
		use := "development"
		if d.Shipped {
			use = "shipped"
		}
		fmt.Printf("%-12s %s %s: %s\n", use, d.Path, d.Version, strings.Join(d.Licenses, ", "))
	}
	return err
}
