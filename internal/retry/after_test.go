package retry

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stytchkit/m2m/internal/vectors"
)

func TestAfterVectors(t *testing.T) {
	var file struct {
		Now   int64 `json:"now"`
		Cases []struct {
			Header  string   `json:"header"`
			Seconds *big.Int `json:"seconds"`
			Why     string   `json:"why"`
		} `json:"cases"`
	}
	vectors.Read(t, "retry_after.json", &file)
	if len(file.Cases) != 30 {
		t.Errorf("%d cases, want 30", len(file.Cases))
	}
	for _, c := range file.Cases {
		wait, ok := After(c.Header, time.Unix(file.Now, 0))
		if ok != (c.Seconds != nil) {
			t.Errorf("%q: valid = %t, want %t (%s)", c.Header, ok, c.Seconds != nil, c.Why)
			continue
		}
		if !ok {
			continue
		}
		want := time.Duration(math.MaxInt64)
		if limit := big.NewInt(int64(math.MaxInt64 / time.Second)); c.Seconds.Cmp(limit) <= 0 {
			want = time.Duration(c.Seconds.Int64()) * time.Second
		}
		if wait != want {
			t.Errorf("%q: wait %v, want %v (%s)", c.Header, wait, want, c.Why)
		}
	}
}

func TestAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 500_000_000, time.UTC)
	for _, c := range []struct {
		header string
		wait   time.Duration
		ok     bool
	}{
		{"Thu, 01 Jan 2026 00:00:01 GMT", 500 * time.Millisecond, true},
		{"Thu, 01 Jan 2026 00:00:00 GMT", 0, true},
		{"Mon, 01 Jan 0001 00:00:00 GMT", 0, true}, // a difference that no Duration holds must not wrap around
		{"Fri, 31 Dec 9999 23:59:59 GMT", math.MaxInt64, true},
		{"00000000000000000000000000000001", time.Second, true},
		{" 1", 0, false},
		{"1 ", 0, false},
		{"1\n", 0, false},
		{"-0", 0, false},
		{"1_000", 0, false},
		{"٣", 0, false}, // an Arabic-Indic digit
		{"\x00", 0, false},
	} {
		if wait, ok := After(c.header, now); wait != c.wait || ok != c.ok {
			t.Errorf("%q = %v, %t, want %v, %t", c.header, wait, ok, c.wait, c.ok)
		}
	}
}

func FuzzAfter(f *testing.F) {
	for _, seed := range []string{"120", "-1", "1e3", "9223372037", "18446744073709551616", "Thu, 01 Jan 2026 00:02:00 GMT", "Thursday, 01-Jan-26 00:02:00 GMT", "Thu Jan  1 00:02:00 2026", "5, 10", ""} {
		f.Add(seed, int64(1767225600))
	}
	f.Fuzz(func(t *testing.T, header string, unix int64) {
		wait, ok := After(header, time.Unix(unix%(1<<40), 0))
		if wait < 0 {
			t.Errorf("a negative wait: %v", wait)
		}
		if !ok && wait != 0 {
			t.Errorf("a wait of %v without a value", wait)
		}
		// Whatever is made of digits alone is that many seconds, or more than any cap.
		if n, isNumber := new(big.Int).SetString(header, 10); ok && isNumber && header[0] != '-' && header[0] != '+' {
			exact := new(big.Int).Mul(n, big.NewInt(int64(time.Second)))
			if want := big.NewInt(int64(wait)); exact.Cmp(want) != 0 && wait != math.MaxInt64 {
				t.Errorf("%q = %v", header, wait)
			}
		}
	})
}
