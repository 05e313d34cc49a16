// Package guard runs functions that callers provided, such as hooks, observers and deliverers, in a
// goroutine of this SDK. Their panic becomes an error instead of the end of the process.
package guard

import (
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// PanicError says that a provided function panicked. Its text may hold whatever the function put
// into the panic: clean it, as any error of foreign code, before it leaves the SDK.
type PanicError struct {
	Name  string // of the function, as the caller of the SDK knows it: "WithReady"
	Text  string // what it panicked with
	Stack string // of the goroutine, from the panic down
}

func (e *PanicError) Error() string { return e.Name + " panicked: " + e.Text }

// Call runs f. A panic of f is returned as a [*PanicError]. [runtime.Goexit] passes through, so
// that a test may fail from within f.
func Call(name string, f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Name: name, Text: text(value), Stack: string(debug.Stack())}
		}
	}()
	return f()
}

// Run is [Call] for a function that returns nothing.
func Run(name string, f func()) error {
	return Call(name, func() error { f(); return nil })
}

// Wait waits until tasks have ended, but not longer than most, and reports whether they have. A
// provided function that ignores the end of its context is left behind. No task may be added
// meanwhile.
func Wait(tasks *sync.WaitGroup, most time.Duration) bool {
	ended := make(chan struct{})
	go func() {
		tasks.Wait()
		close(ended)
	}()
	patience := time.NewTimer(most)
	defer patience.Stop()
	select {
	case <-ended:
		return true
	case <-patience.C:
		return false
	}
}

// text prints a value whose own Error or String method may panic too; fmt survives that.
func text(value any) string {
	if err, ok := value.(error); ok {
		return fmt.Sprintf("%v", err)
	}
	return fmt.Sprint(value)
}
