package sleep_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stytchkit/m2m/internal/sleep"
)

func TestFor(t *testing.T) {
	for _, test := range []struct {
		name          string
		d, ends, took time.Duration
		want          error
	}{
		{"to its end", time.Hour, 2 * time.Hour, time.Hour, nil},
		{"until the context ends", 2 * time.Hour, time.Hour, time.Hour, context.DeadlineExceeded},
		{"after the context ended", time.Hour, -1, 0, context.DeadlineExceeded},
		{"not at all", 0, time.Hour, 0, nil},
		{"less than that, after the context ended", -time.Hour, -1, 0, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.ends)
				defer cancel()
				start := time.Now()
				if err := sleep.For(ctx, test.d); !errors.Is(err, test.want) || err == nil != (test.want == nil) {
					t.Errorf("error %v, want %v", err, test.want)
				}
				if got := time.Since(start); got != test.took {
					t.Errorf("it took %v, want %v", got, test.took)
				}
			})
		})
	}
}
