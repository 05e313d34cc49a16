package guard_test

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/guard"
)

type badError struct{}

func (badError) Error() string { panic("in Error") }

func TestCall(t *testing.T) {
	sentinel := errors.New("its own error")
	var empty map[string]int
	for _, test := range []struct {
		name string
		f    func() error
		want string // of the panic; empty: none
	}{
		{"returns", func() error { return nil }, ""},
		{"fails", func() error { return sentinel }, ""},
		{"text", func() error { panic("no route") }, "no route"},
		{"error", func() error { panic(sentinel) }, "its own error"},
		{"runtime error", func() error { empty["a"] = 1; return nil }, "assignment to entry in nil map"},
		{"nil", func() error { panic(nil) }, "panic called with nil"},
		{"an error whose text panics", func() error { panic(badError{}) }, "in Error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := guard.Call("WithHook", test.f)
			var panicked *guard.PanicError
			if test.want == "" {
				if errors.As(err, &panicked) || err != nil && err != sentinel {
					t.Fatalf("err = %v", err)
				}
				return
			}
			if !errors.As(err, &panicked) {
				t.Fatalf("err = %v, want a PanicError", err)
			}
			if !strings.HasPrefix(err.Error(), "WithHook panicked: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("err = %q", err)
			}
			if !strings.Contains(panicked.Stack, "guard_test") {
				t.Errorf("the stack does not show the function:\n%s", panicked.Stack)
			}
		})
	}
}

func TestRun(t *testing.T) {
	ran := false
	if err := guard.Run("WithHook", func() { ran = true }); err != nil || !ran {
		t.Fatalf("err = %v, ran = %t", err, ran)
	}
	if err := guard.Run("WithHook", func() { panic("no") }); err == nil {
		t.Fatal("a panic was swallowed")
	}
}

func TestGoexitPasses(t *testing.T) {
	done := make(chan bool)
	go func() {
		defer close(done)
		_ = guard.Run("WithHook", func() { runtime.Goexit() })
		done <- false // not reached: the goroutine ends
	}()
	if _, open := <-done; open {
		t.Fatal("Goexit was stopped")
	}
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tasks sync.WaitGroup
		if !guard.Wait(&tasks, time.Second) {
			t.Error("nothing to wait for, and it waited")
		}
		release := make(chan struct{})
		tasks.Go(func() { <-release })
		began := time.Now()
		if guard.Wait(&tasks, time.Second) || time.Since(began) != time.Second {
			t.Errorf("waited %v for a task that does not end", time.Since(began))
		}
		close(release)
		if !guard.Wait(&tasks, time.Second) {
			t.Error("the task has ended")
		}
	})
}
