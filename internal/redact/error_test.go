package redact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strings"
	"testing"

	"github.com/stytchkit/m2m/stytch/secret"
)

// quiet is an error whose text is clean although that of its cause is not.
type quiet struct{ cause error }

func (q quiet) Error() string { return "quiet" }
func (q quiet) Unwrap() error { return q.cause }

func TestError(t *testing.T) {
	const canary = "canary-0123456789"
	r := New(canary)
	if r.Error(nil) != nil {
		t.Error("nil is no longer nil")
	}
	clean := fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)
	if r.Error(clean) != clean { //nolint:errorlint // the same value
		t.Error("a clean error is replaced")
	}
	leaking := &url.Error{Op: "Post", URL: "https://h.test/?secret=" + canary, Err: context.Canceled}
	for _, err := range []error{
		leaking, fmt.Errorf("wrapped: %w", leaking), errors.Join(fs.ErrNotExist, leaking), quiet{leaking}, errors.Join(clean, quiet{leaking}),
	} {
		got := r.Error(err)
		if !errors.Is(got, context.Canceled) || errors.Is(got, context.DeadlineExceeded) {
			t.Errorf("%T: errors.Is changes", err)
		}
		var asURL *url.Error
		if errors.As(got, &asURL) || errors.Unwrap(got) != nil {
			t.Errorf("%T: the original can be reached", err)
		}
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if text := fmt.Sprintf(format, got); strings.Contains(text, "canary") || strings.Contains(text, "0123456789") {
				t.Errorf("%T: %s shows the secret", err, format)
			}
		}
	}
	if got := r.Error(leaking).Error(); got != `Post "https://h.test/?secret=`+secret.Placeholder+`": context canceled` {
		t.Error(got)
	}
}
