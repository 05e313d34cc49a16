package cli

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestStdinEndsWithAnInterrupt(t *testing.T) {
	interrupted := make(chan struct{})
	reader, writer := io.Pipe() // to which nothing is written
	defer writer.Close()
	app := New()
	app.In, app.Interrupted = reader, interrupted
	done := make(chan error, 1)
	go func() {
		_, err := app.ReadSecret("--secret-file", "-")
		done <- err
	}()
	close(interrupted)
	err := <-done
	if Classify(err) != Interrupted || !strings.Contains(err.Error(), "--secret-file: interrupted while it was read. Nothing was done.") {
		t.Errorf("got %v", err)
	}
}

func TestStdinIsComplete(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 10_000)
	for name, from := range map[string]io.Reader{
		"at once":     strings.NewReader(text),
		"in halves":   iotest.HalfReader(strings.NewReader(text)),
		"with an EOF": iotest.DataErrReader(strings.NewReader(text)),
	} {
		app := New()
		app.In, app.Interrupted = from, make(chan struct{})
		got, err := app.ReadFile("--data", "-", 1<<20)
		if err != nil || string(got) != text {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}
