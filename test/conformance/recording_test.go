package conformance

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A recording is a reporter that keeps what a test would print.
type recording struct {
	name    string // as in -run, without the root
	ctx     context.Context
	cancel  context.CancelFunc
	parent  *recording
	failed  bool
	cleanup []func()

	output *output
}

// output is shared by a recording and all of its parts.
type output struct {
	mu       sync.Mutex
	lines    []string
	failures []string // names of the parts that failed
}

// recordRun runs f as a test would, and returns what it reported.
func recordRun(t *testing.T, f func(reporter)) *output {
	out := new(output)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	(&recording{ctx: ctx, cancel: cancel, output: out}).run(f)
	return out
}

// run calls f and then the cleanups, each in a goroutine of its own, which Fatal ends.
func (r *recording) run(f func(reporter)) {
	call := func(f func()) {
		done := make(chan struct{})
		go func() { defer close(done); f() }()
		<-done
	}
	call(func() { f(r) })
	r.cancel()
	for _, clean := range slices.Backward(r.cleanup) {
		call(clean)
	}
	if r.failed && r.parent != nil {
		r.parent.failed = true
	}
	if r.failed {
		r.output.failures = append(r.output.failures, r.name)
	}
}

func (r *recording) Run(name string, f func(reporter)) bool {
	ctx, cancel := context.WithCancel(r.ctx)
	name = strings.ReplaceAll(name, " ", "_")
	if r.name != "" {
		name = r.name + "/" + name
	}
	part := &recording{name: name, ctx: ctx, cancel: cancel, parent: r, output: r.output}
	part.run(f)
	return !part.failed
}

func (r *recording) Helper()                  {}
func (r *recording) Context() context.Context { return r.ctx }
func (r *recording) Cleanup(f func())         { r.cleanup = append(r.cleanup, f) }

func (r *recording) Logf(format string, args ...any) {
	r.output.mu.Lock()
	defer r.output.mu.Unlock()
	r.output.lines = append(r.output.lines, r.name+": "+fmt.Sprintf(format, args...))
}

func (r *recording) Errorf(format string, args ...any) {
	r.Logf(format, args...)
	r.failed = true
}

func (r *recording) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recording) Error(args ...any) { r.Errorf("%s", fmt.Sprintln(args...)) }
func (r *recording) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprintln(args...)) }

func (o *output) String() string { return strings.Join(o.lines, "\n") }

// hold checks that something failed, and that the output contains no secret.
func (o *output) hold(t *testing.T, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(o.String(), secret) {
			t.Fatal("the output contains a secret")
		}
	}
	if len(o.failures) == 0 {
		t.Fatalf("the suite passed:\n%s", o)
	}
}
