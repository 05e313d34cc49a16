// Command mutate changes the conditions of switch cases, one at a time, and lists the changes that
// the tests of the package do not notice:
//
//	mutate [-workers n] file.go...
//
// Coverage does not count these conditions, so tools that go by it leave them alone. Nothing is
// written into the repository: the compiler gets each change as an overlay. It fails if less than
// 90 % of the changes are noticed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
)

const enough = 0.9 // of the changes

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1) //nolint:gocritic // the signal handler ends with the process
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("mutate", flag.ExitOnError)
	workers := flags.Int("workers", 2, "changes that are tried at once")
	_ = flags.Parse(args) // it exits
	var all []change
	for _, name := range flags.Args() {
		path, err := filepath.Abs(name)
		if err != nil {
			return err
		}
		source, err := os.ReadFile(path) //nolint:gosec // the caller's own choice
		if err != nil {
			return err
		}
		found, err := changes(path, source)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	switch {
	case flags.NArg() == 0:
		return errors.New("name the files to change")
	case len(all) == 0:
		fmt.Println("conditions of cases: none")
		return nil
	}
	count, err := tryAll(ctx, all, *workers)
	if err != nil {
		return err
	}
	noticed := float64(count[killed]) / float64(max(1, count[killed]+count[lived]))
	fmt.Printf("conditions of cases: killed: %d, lived: %d, timed out: %d, not viable: %d; %.2f %%\n",
		count[killed], count[lived], count[timedOut], count[notViable], 100*noticed)
	if noticed < enough {
		return fmt.Errorf("less than %.0f %% killed", 100*enough)
	}
	return nil
}

// verdict is what became of a change.
type verdict string

const (
	killed    verdict = "KILLED"
	lived     verdict = "LIVED"
	timedOut  verdict = "TIMED OUT"
	notViable verdict = "NOT VIABLE" // it does not compile
)

func tryAll(ctx context.Context, all []change, workers int) (map[verdict]int, error) {
	var (
		tasks  sync.WaitGroup
		mu     sync.Mutex
		failed error
		queue  = make(chan change)
		count  = map[verdict]int{}
	)
	for range workers {
		tasks.Go(func() {
			for c := range queue {
				v, err := try(ctx, c)
				mu.Lock()
				failed = errors.Join(failed, err)
				count[v]++
				if v == lived || v == timedOut {
					fmt.Printf("%12s %s: %s\n", v, c.position, c.what)
				}
				mu.Unlock()
			}
		})
	}
	for _, c := range all {
		if ctx.Err() != nil {
			break
		}
		queue <- c
	}
	close(queue)
	tasks.Wait()
	return count, errors.Join(ctx.Err(), failed)
}

// try runs the tests of a package with one change.
func try(ctx context.Context, c change) (verdict, error) {
	folder, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(folder) }() // it is temporary
	changed, overlay := filepath.Join(folder, "changed.go"), filepath.Join(folder, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{c.path: changed}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(changed, c.source, 0o600), os.WriteFile(overlay, list, 0o600)); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-overlay="+overlay, "-vet=off", "-failfast", "-count=1", "-timeout=90s", ".") //nolint:gosec // fixed words
	cmd.Dir = filepath.Dir(c.path)
	output, err := cmd.CombinedOutput()
	switch text := string(output); {
	case err == nil:
		return lived, nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case strings.Contains(text, "[build failed]"):
		return notViable, nil
	case strings.Contains(text, "panic: test timed out"):
		return timedOut, nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return killed, nil
	}
	return "", err
}
